r"""Fréchet distance for infinitely many samples, extrapolated from its values at several numbers of them.

.. math::
    \mathrm{FID}_N = \mathrm{FID}_\infty + a / N + o(1/N)

M. J. Chong and D. Forsyth, "Effectively Unbiased FID and Inception Score and where to find them" (2020), section 3.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import _check
from gancore._progress import progress_bar
from gancore.errors import DomainError, SampleSizeWarning
from gancore.kernels.frechet import frechet_distance
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._groups import group_count, quantile
from gancore.metrics._measure import Reading, look_through, rows_of, rows_or_statistics_of
from gancore.metrics._protocol import score_protocol, sentence
from gancore.metrics._sides import count_of, read_both
from gancore.metrics._statistics import FeatureStatistics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._look import Look, Rows
    from gancore.metrics._statistics import FeatureRows

__all__ = ["FIDInfinityResult", "fid_infinity"]


@dataclass(frozen=True)
class FIDInfinityResult:
    """An extrapolated Fréchet distance and what it was extrapolated from.

    Attributes
    ----------
    value : float
        The distance for infinitely many samples; for equal distributions it scatters about zero, below it too.
    interval : (float, float) or None
        95 % interval; None if it was not asked for.
    slope : float
        How the distance falls: value + slope / N is the fit.
    counts : tuple of int
        The numbers N of fakes.
    values : tuple of float
        The distance at each.
    n_real, n_fake : int or None
        Samples on each side.
    protocol : dict
        As that of :class:`FIDResult`, with the points and what was subsampled.
    """

    value: float
    interval: tuple[float, float] | None
    slope: float
    counts: tuple[int, ...]
    values: tuple[float, ...]
    n_real: int | None
    n_fake: int
    protocol: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return sentence("FID-infinity", f"{self.value:.6g}", self.interval, self.protocol)


def fid_infinity(
    real: Any,
    fake: Any,
    *,
    points: int = 15,
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
) -> FIDInfinityResult:
    """Fréchet distance freed of the bias that the number of samples gives it.

    The distance of random subsets of several sizes N, from a tenth of the samples to all of them, is fitted by a line
    in 1/N, whose value at 0 is the result. Where real samples are at hand, both sides are subsampled in proportion, so
    that the bias of both goes; real statistics are held fixed, as in the paper, and keep theirs.

    Parameters
    ----------
    real, fake, features, batch_size, device, n, resize, weights, download, skip_bad_images
        As :func:`fid` takes them; of the fakes, statistics do not do.
    points : int
        How many sizes.
    interval : bool
        Whether to estimate an interval: a jackknife that leaves out each of 20 random groups (10 from 513 features
        on), on both sides at a time, and extrapolates again from the same subsets.
    seed : int
        Decides subsets and groups.
    allow_different_protocols, distributed, progress
        As :func:`fid` takes them; features of several processes are gathered on all.

    Returns
    -------
    FIDInfinityResult

    Raises
    ------
    DomainError
        If there are fewer than 40 samples on a side that is subsampled, or fewer than two points.
    DataError, ShapeError, DTypeError, ProtocolError, MissingExtraError, BackendError
        As :func:`fid`.

    Warns
    -----
    SampleSizeWarning
        If the smallest subset has fewer samples than twice the features: the distance is no line in 1/N there.

    Notes
    -----
    4 n d bytes for the features; a distance, O(d^3), for each point, and for each point and group of the interval.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(600, 16)), rng.normal(size=(600, 16))
    >>> from gancore.metrics import fid
    >>> abs(fid_infinity(x, y).value) < fid(x, y).value
    True
    """
    _check.integer("points", points, least=2)
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

    def read(source: Any, name: str, look: Look, reading: Reading, *, n: int | None) -> Any:
        return (rows_or_statistics_of if name == "real" else rows_of)(source, name, look, reading, n=n)

    reals, fakes, differences = read_both(read, real, fake, look, reading, allowed=allow_different_protocols)
    fixed = isinstance(reals, FeatureStatistics)
    line = _Line(reals.moments if fixed else reals.x, fakes, points, seed)
    with progress_bar("extrapolation", points * (1 + line.groups * interval), shown=reading.shown) as advance:
        values = line.values(advance)
        value, slope = line.fitted(values)
        bounds = line.interval(value, advance) if interval else None
    n_real = count_of(reals)
    settings = {
        "n_real": n_real,
        "n_fake": len(fakes),
        "dim": fakes.x.shape[1],
        "points": points,
        "subsampled": "fake" if fixed else "real and fake",
        "subset_seed": seed,
        "interval": f"95 %, jackknife of {line.groups} groups, Student's t" if interval else None,
    }
    protocol = score_protocol("fid_infinity", reals.protocol, fakes.protocol, differences, **settings)
    counts = tuple(line.counts.tolist())
    return FIDInfinityResult(value, bounds, slope, counts, tuple(values), n_real, len(fakes), protocol)


class _Line:
    """Distances of subsets that share one order of the samples, and the line through them."""

    def __init__(self, real: FeatureMoments | Rows, fakes: FeatureRows, points: int, seed: int) -> None:
        self._real, self._fake = real, fakes.x
        m, d = fakes.x.shape
        sizes = [m] if isinstance(real, FeatureMoments) else [m, len(real)]
        if min(sizes) < 40:
            raise DomainError(f"real, fake: expected at least 40 samples to extrapolate from, got {min(sizes)}")
        # A tenth of the samples, or what gives a covariance of full rank, if that is at most half of them.
        least = max(0.1, min(0.5, 2 * d / min(sizes)))
        if least * min(sizes) < 2 * d:
            warnings.warn(
                f"real, fake: {min(sizes)} samples are too few to extrapolate from with {d} features; expected "
                f"{4 * d} or more",
                SampleSizeWarning,
                stacklevel=3,
            )
        self._shares = np.linspace(least, 1.0, points)
        self.counts: NDArray[np.int64] = np.round(self._shares * m).astype(np.int64)
        random = np.random.default_rng(seed)
        self._subsets = [
            [np.sort(random.permutation(size)[: round(share * size)]) for size in sizes] for share in self._shares
        ]
        self.groups = group_count(d)
        self._group_of = [random.permutation(size) % self.groups for size in sizes]

    def fitted(self, values: list[float]) -> tuple[float, float]:
        """Value at 0 and slope of the least-squares line in 1/N."""
        inverse = 1 / self.counts
        apart = inverse - inverse.mean()
        slope = float(apart @ np.asarray(values) / (apart @ apart))
        return float(np.mean(values) - slope * inverse.mean()), slope

    def values(self, advance: Callable[[int], None], out: int | None = None) -> list[float]:
        """The distance of each subset, without the samples of one group."""
        found = []
        for subset in self._subsets:
            found.append(self._distance(subset, out))
            advance(1)
        return found

    def interval(self, value: float, advance: Callable[[int], None]) -> tuple[float, float]:
        """95 % bounds."""
        left = [self.fitted(self.values(advance, out))[0] for out in range(self.groups)]
        spread = float(np.square(np.subtract(left, np.mean(left))).sum())
        half = quantile(self.groups - 1) * math.sqrt((self.groups - 1) / self.groups * spread)
        return value - half, value + half

    def _distance(self, subset: list[NDArray[np.int64]], out: int | None) -> float:
        rows = [part if out is None else part[of[part] != out] for part, of in zip(subset, self._group_of, strict=True)]
        fake = _moments(self._fake[rows[0]])
        real = self._real if isinstance(self._real, FeatureMoments) else _moments(self._real[rows[1]])
        return float(frechet_distance(real, fake))


def _moments(rows: Rows) -> FeatureMoments:
    moments = FeatureMoments(rows.shape[1])
    moments.update(rows)
    return moments
