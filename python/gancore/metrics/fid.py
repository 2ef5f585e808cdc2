r"""Fréchet distance of features: how far the mean and covariance of fakes are from those of real samples.

.. math::
    \mathrm{FID} = \lVert \mu_r - \mu_f \rVert^2
                   + \operatorname{tr}\bigl(\Sigma_r + \Sigma_f - 2 (\Sigma_r \Sigma_f)^{1/2}\bigr)

M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017), equation
6. The value depends on the features, and falls with the number of samples: compare only what has one protocol and one
n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import _check
from gancore.errors import ShapeError
from gancore.kernels.frechet import frechet_distance
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._look import Look
from gancore.metrics._measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.metrics._look import Rows

__all__ = ["FIDResult", "fid"]

_GROUPS = 20
# The 97.5 % point of Student's t with 19 degrees of freedom, one less than the groups.
_STUDENT = 2.093


@dataclass(frozen=True)
class FIDResult:
    """A Fréchet distance and what it means.

    Attributes
    ----------
    value : float
        The distance, squared as is the custom.
    interval : (float, float) or None
        95 % interval; None where a side has statistics only.
    n_real, n_fake : int or None
        Samples on each side; None for statistics that do not tell.
    protocol : dict
        Features, width, method of the interval.
    """

    value: float
    interval: tuple[float, float] | None
    n_real: int | None
    n_fake: int | None
    protocol: dict[str, Any] = field(default_factory=dict)


def fid(
    real: Any,
    fake: Any,
    *,
    features: Any = None,
    batch_size: int = 256,
    device: Any = None,
    n: int | None = None,
    interval: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> FIDResult:
    """Fréchet distance between real and generated samples, in the features of a network.

    Parameters
    ----------
    real, fake : path, array, tensor, Data, Dataset, DataLoader, FeatureMoments, or callable
        A path is a name or folder that :func:`gancore.datasets.load` knows, an .npy or .npz of samples or features,
        or an .npz of statistics (``mu``, ``sigma``). A callable takes a number and returns so many samples, and is
        called once. 8-bit images are scaled to [-1, 1]; floats are taken as they are.
    features : None, FeatureClassifier, Module or callable
        What to look through: images (n, c, h, w) to features (n, d). None takes the samples themselves as features,
        rows of shape (n, d); for points in the plane that is the right thing. A FeatureClassifier requires floats in
        [-1, 1].
    batch_size : int
        How many samples go through the network at a time.
    device : str or torch.device, optional
        Where batches are sent, and a FeatureClassifier moved; where the network is, if not given. Moments are taken
        on the CPU, in float64.
    n : int, optional
        How many samples to draw from a callable; as many as `real` has, if not given.
    interval : bool
        Whether to estimate an interval: by a delete-a-group jackknife over 20 random groups on each side, which keeps
        4 n d bytes of features and takes 40 more distances.
    seed : int
        Decides the groups.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    FIDResult

    Raises
    ------
    DataError
        If a file or folder is absent, unreadable or not what its format promises.
    ShapeError, DTypeError, DomainError
        If samples or features are of the wrong shape or type, not finite, or fewer than two.
    BackendError
        If features="inception": that network is not in this version.

    Warns
    -----
    UserWarning
        If a side has fewer samples than twice the features: its covariance is singular or nearly so, and the distance
        is far too large.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> result = fid(rng.normal(size=(5000, 2)), rng.normal(1.0, size=(5000, 2)))
    >>> round(result.value, 1), result.interval[0] < 2.0 < result.interval[1]
    (2.0, True)
    """
    _check.integer("batch_size", batch_size, least=1)
    if n is not None:
        _check.integer("n", n, least=2)
    look = Look(features, device)
    with look.at_rest():
        reals = measure(real, "real", look, n=n, batch_size=batch_size, kept=interval, shown=progress)
        wanted = reals.moments.count if n is None else n
        fakes = measure(fake, "fake", look, n=wanted, batch_size=batch_size, kept=interval, shown=progress)
    dim = reals.moments.dim
    if fakes.moments.dim != dim:
        raise ShapeError(f"fake: expected {dim} features, as real has, got {fakes.moments.dim}")
    value = float(frechet_distance(reals.moments, fakes.moments))
    bounds = None
    if reals.rows is not None and fakes.rows is not None:
        error = math.hypot(
            _jackknife(reals.rows, lambda left: float(frechet_distance(left, fakes.moments)), seed),
            _jackknife(fakes.rows, lambda left: float(frechet_distance(reals.moments, left)), seed + 1),
        )
        bounds = (max(value - _STUDENT * error, 0.0), value + _STUDENT * error)
    method = f"95 %, delete-a-group jackknife, {_GROUPS} groups a side, Student's t"
    protocol = {"metric": "fid", **look.protocol, "dim": dim, "interval": method if bounds else None}
    return FIDResult(value, bounds, reals.moments.count, fakes.moments.count, protocol)


def _jackknife(rows: Rows, distance: Callable[[FeatureMoments], float], seed: int) -> float:
    """Standard error of a distance by leaving out each of some random groups of rows.

    B. Efron and C. Stein, "The jackknife estimate of variance" (1981), with groups in place of single rows.
    """
    k = min(_GROUPS, len(rows))
    groups = np.random.default_rng(seed).permutation(len(rows)) % k
    values = np.empty(k)
    for group in range(k):
        left = FeatureMoments(rows.shape[1])
        left.update(rows[groups != group])
        values[group] = distance(left)
    return math.sqrt((k - 1) / k * float(((values - values.mean()) ** 2).sum()))
