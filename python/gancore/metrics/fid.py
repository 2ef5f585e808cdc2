r"""Fréchet distance of features: how far the mean and covariance of fakes are from those of real samples.

.. math::
    \mathrm{FID} = \lVert \mu_r - \mu_f \rVert^2
                   + \operatorname{tr}\bigl(\Sigma_r + \Sigma_f - 2 (\Sigma_r \Sigma_f)^{1/2}\bigr)

M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017), equation
6. The value depends on the features, and falls with the number of samples: compare only what has one protocol and one
n.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gancore.kernels.frechet import frechet_distance_report
from gancore.metrics._groups import quantile
from gancore.metrics._influence import standard_error
from gancore.metrics._measure import Reading, look_through, statistics_of
from gancore.metrics._protocol import score_protocol, sentence
from gancore.metrics._sides import read_both

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._statistics import FeatureStatistics

__all__ = ["FIDResult", "fid"]

_NORMAL = 1.96
_FEW = 20
"""Up to so many samples the error itself is uncertain, and Student's t takes the place of the normal distribution."""


@dataclass(frozen=True)
class FIDResult:
    """A Fréchet distance and what it means.

    Attributes
    ----------
    value : float
        The distance, squared as is the custom.
    interval : (float, float) or None
        95 % interval of the distance at these numbers of samples; None where both sides have statistics only.
    n_real, n_fake : int or None
        Samples on each side; None for statistics that do not tell.
    protocol : dict
        Network, sha256 of its weights, resize rule, range of values, width, counts, method of the interval, how the
        trace was computed, the ranks and the precision of the covariances, dtype, versions.
    """

    value: float
    interval: tuple[float, float] | None
    n_real: int | None
    n_fake: int | None
    protocol: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return sentence("FID", f"{self.value:.6g}", self.interval, self.protocol)


def fid(
    real: Any,
    fake: Any,
    *,
    features: Any = None,
    batch_size: int = 256,
    device: Any = None,
    n: int | None = None,
    resize: ImageSize | None = None,
    weights: str | Path | None = None,
    download: bool = False,
    skip_bad_images: bool = False,
    interval: bool = True,
    seed: int = 0,
    allow_different_protocols: bool = False,
    distributed: bool = True,
    progress: bool = True,
) -> FIDResult:
    """Fréchet distance between real and generated samples, in the features of a network.

    Samples stream through the network; what is kept does not grow with their number.

    Parameters
    ----------
    real, fake : path, array, tensor, Data, Dataset, DataLoader, iterator, FeatureStatistics, FeatureRows or callable
        A path is a name or folder that :func:`gancore.datasets.load` knows, the folder of a run, an .npy or .npz of
        samples or features, or an .npz of statistics (``mu``, ``sigma``). A callable takes a number and returns so
        many samples; it is called for a batch at a time, and, if that gives the same batch twice, once for all. 8-bit
        images are scaled to [-1, 1]; floats are taken as they are.
    features : None, "inception", str, path, FeatureClassifier, InceptionFeatures, Module or callable
        What to look through: images (n, c, h, w) to features (n, d). None takes the samples themselves as features,
        rows of shape (n, d); for points in the plane that is the right thing. "digits", "mnist" and "fashion-mnist"
        train a classifier on those data; a path is that of a saved FeatureClassifier or of a run that has one.
        Networks that gancore knows require floats in [-1, 1].
    batch_size : int
        How many samples go through the network at a time.
    device : str or torch.device, optional
        Where batches are sent, and a known network moved; where the network is, if not given; for a network by name,
        CUDA where there is one. Moments are taken on the CPU, in float64.
    n : int, optional
        How many samples to draw from a callable; as many as `real` has, if not given.
    resize : int or (int, int), optional
        Crop images about the centre and resize them (Pillow's antialiased bicubic, in 8 bits) before the network.
    weights, download
        Of Inception, as :meth:`gancore.features.InceptionFeatures.load` takes them.
    skip_bad_images : bool
        Leave out images of a folder that cannot be read.
    interval : bool
        Whether to estimate an interval: 1.96 standard errors by the infinitesimal jackknife, that is from how much
        each sample moves the score (by one gradient of the distance, about the cost of three distances), for 1024 to
        16384 samples of each side drawn at random. A side of which there are statistics only is held fixed. It says
        how the score would vary with other samples, not how far it is biased by their number: for that see
        :func:`fid_infinity`.
    seed : int
        Decides which samples are drawn for the interval.
    allow_different_protocols : bool
        Go on where the two sides were made in different ways; the protocol of the result names the differences.
    distributed : bool
        Where torch.distributed is initialised, merge the statistics of all processes: what is in memory is taken as
        a process's own share, a path that is the same on all is shared out, a callable draws n in all. Every process
        must call, and gets the same result.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    FIDResult

    Raises
    ------
    DataError
        If a file or folder is absent, unreadable or not what its format promises, or Inception's weights are not
        there.
    ShapeError, DTypeError, DomainError
        If samples or features are of the wrong shape or type, not finite, or fewer than two.
    ProtocolError
        If the sides were made in different ways: another network, other weights, resize rule or size of images.
    NotPositiveDefiniteError
        If the covariance in a file is none.
    MissingExtraError, BackendError
        If torch-fidelity is not installed, or its torchvision does not fit torch; if another process fails.

    Warns
    -----
    SampleSizeWarning
        If a side has fewer samples than twice the features: its covariance is singular or nearly so, and the distance
        is far too large.
    ProtocolWarning
        If statistics do not tell how they were made.

    Notes
    -----
    O(n d^2) for the moments and O(d^3) for the distance and its interval. The infinitesimal jackknife: B. Efron, "The
    Jackknife, the Bootstrap and Other Resampling Plans" (1982), section 6.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> result = fid(rng.normal(size=(5000, 2)), rng.normal(1.0, size=(5000, 2)))
    >>> round(result.value, 1), result.interval[0] < 2.0 < result.interval[1]
    (2.0, True)
    """
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
    read = partial(statistics_of, sample=interval)
    reals, fakes, differences = read_both(read, real, fake, look, reading, allowed=allow_different_protocols)
    report = frechet_distance_report(reals.moments, fakes.moments)
    value = float(report.value)
    bounds, method = _interval(value, reals, fakes) if interval else (None, None)
    n_real, n_fake = reals.moments.count, fakes.moments.count
    settings = {
        "n_real": n_real,
        "n_fake": n_fake,
        "dim": reals.moments.dim,
        "interval": method,
        "trace": report.way,
        "ranks": [report.rank_a, report.rank_b],
        "covariances": report.precision,
    }
    return FIDResult(
        value, bounds, n_real, n_fake, score_protocol("fid", reals.protocol, fakes.protocol, differences, **settings)
    )


def _interval(
    value: float, reals: FeatureStatistics, fakes: FeatureStatistics
) -> tuple[tuple[float, float] | None, str | None]:
    """95 % bounds and how they were found."""
    error = standard_error(reals.moments, fakes.moments, reals.sample, fakes.sample)
    if error is None:
        return None, None
    used = {name: len(side.sample) for name, side in (("real", reals), ("fake", fakes)) if side.sample is not None}
    least = min(used.values())
    half = (quantile(least - 1) if least <= _FEW else _NORMAL) * error
    method = f"95 %, infinitesimal jackknife of {' and '.join(f'{m} {name}' for name, m in used.items())} samples"
    fixed = [name for name in ("real", "fake") if name not in used]
    return (max(value - half, 0.0), value + half), method + (f", {fixed[0]} held fixed" if fixed else "")
