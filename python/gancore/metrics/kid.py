r"""Kernel distance of features (KID): the squared maximum mean discrepancy of fakes from real samples.

.. math::
    \mathrm{MMD}^2 = E\,k(x, x') + E\,k(y, y') - 2 E\,k(x, y), \qquad k(x, y) = (x^\top y / d + 1)^3

M. Bińkowski et al., "Demystifying MMD GANs" (2018), section 4.3. Its estimate has no bias at any number of samples,
so that it may be a little below zero where the distributions agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import _check
from gancore.errors import DomainError
from gancore.metrics._measure import Reading, look_through, rows_of
from gancore.metrics._protocol import score_protocol, sentence
from gancore.metrics._sides import read_both

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.datasets._pixels import ImageSize

__all__ = ["KIDResult", "kid"]

_NORMAL = 1.959964
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True)
class KIDResult:
    """A kernel distance and what it means.

    Attributes
    ----------
    mean, std : float
        Over random subsets, as the custom is: the std is that of a subset's estimate, not the error of the mean.
    unbiased : float
        The estimate from all pairs of samples.
    standard_error : float
        Of `unbiased`, over samples.
    interval : (float, float)
        95 % interval of the distance: `unbiased` and 1.96 standard errors to each side.
    n_real, n_fake : int
        Samples on each side.
    protocol : dict
        Network, sha256 of its weights, resize rule, range of values, kernel, subsets, seed, counts, dtype, versions.
    """

    mean: float
    std: float
    unbiased: float
    standard_error: float
    interval: tuple[float, float]
    n_real: int
    n_fake: int
    protocol: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        score = f"{self.mean:.6g} ± {self.std:.2g} (subsets), {self.unbiased:.6g} (all pairs)"
        return sentence("KID", score, self.interval, self.protocol)


def kid(
    real: Any,
    fake: Any,
    *,
    features: Any = None,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    batch_size: int = 256,
    device: Any = None,
    n: int | None = None,
    resize: ImageSize | None = None,
    weights: str | Path | None = None,
    download: bool = False,
    skip_bad_images: bool = False,
    allow_different_protocols: bool = False,
    distributed: bool = True,
    progress: bool = True,
) -> KIDResult:
    """Kernel distance between real and generated samples: over subsets as the custom is, and exactly from all pairs.

    Parameters
    ----------
    real, fake, features, batch_size, device, n, resize, weights, download, skip_bad_images
        As :func:`fid` takes them; statistics do not do, for they hold no samples.
    subsets, subset_size : int
        How many random subsets of how many samples of each side, drawn without replacement.
    seed : int
        Decides the subsets; `unbiased` has no chance in it.
    degree, gamma, coef0 : int, float or None, float
        The kernel (gamma x.y + coef0)^degree; gamma is 1/d if not given.
    allow_different_protocols, distributed, progress
        As :func:`fid` takes them; features of several processes are gathered on all.

    Returns
    -------
    KIDResult

    Raises
    ------
    DomainError
        If a side has fewer samples than a subset, or a setting is out of range.
    DataError, ShapeError, DTypeError, ProtocolError, MissingExtraError, BackendError
        As :func:`fid`.

    Notes
    -----
    4 (n + m) d bytes for the features; O(subsets subset_size^2 d + (n + m)^2 d) time.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(400, 4)), rng.normal(0.5, size=(400, 4))
    >>> result = kid(x, y, subsets=10, subset_size=100)
    >>> result.interval[0] > 0
    True
    """
    _check.integer("subsets", subsets, least=1)
    _check.integer("subset_size", subset_size, least=2)
    _check.integer("degree", degree, least=1)
    _check.number("coef0", coef0, least=0.0)
    if gamma is not None:
        _check.number("gamma", gamma, above=0.0)
    reading = Reading(
        batch_size=batch_size,
        n=n,
        resize=resize,
        skip_bad_images=skip_bad_images,
        seed=seed,
        distributed=distributed,
        progress=progress,
    )
    look = look_through(features, device, reading, weights=weights, download=download)
    reals, fakes, differences = read_both(rows_of, real, fake, look, reading, allowed=allow_different_protocols)
    for name, side in (("real", reals), ("fake", fakes)):
        if len(side) < subset_size:
            raise DomainError(f"subset_size: expected at most the {len(side)} samples of {name}, got {subset_size}")
    from gancore.kernels import mmd

    dtype = np.result_type(reals.x, fakes.x)
    x, y = reals.x.astype(dtype, copy=False), fakes.x.astype(dtype, copy=False)
    kernel: dict[str, Any] = {"kernel": "polynomial", "degree": degree, "gamma": gamma, "coef0": coef0}
    values = np.asarray(mmd.mmd2_subsets(x, y, subsets=subsets, size=subset_size, seed=seed, **kernel))
    unbiased, error = (float(number) for number in mmd.mmd2_with_error(x, y, **kernel))
    settings = {
        "n_real": len(reals),
        "n_fake": len(fakes),
        "dim": reals.x.shape[1],
        "kernel": f"polynomial, degree {degree}, gamma {'1/d' if gamma is None else f'{gamma:g}'}, coef0 {coef0:g}",
        "subsets": subsets,
        "subset_size": subset_size,
        "subset_seed": seed,
        "interval": "95 %, normal, standard error of the all-pairs estimate",
    }
    return KIDResult(
        float(values.mean()),
        float(values.std()),
        unbiased,
        error,
        (unbiased - _NORMAL * error, unbiased + _NORMAL * error),
        len(reals),
        len(fakes),
        score_protocol("kid", reals.protocol, fakes.protocol, differences, **settings),
    )
