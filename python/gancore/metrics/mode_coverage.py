r"""Mode coverage: how many of the known modes samples reach, how many samples are good, and how even they are.

A sample belongs to its nearest centre and is of high quality if it lies within the radius of it; a mode counts as
covered if it has at least one sample of high quality. (L. Metz et al., "Unrolled Generative Adversarial Networks",
2017; the nearest-centre count of Z. Lin et al., "PacGAN", 2018, section 4.1.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gancore import _check
from gancore.errors import ShapeError
from gancore.kernels.divergence import kl
from gancore.metrics._look import as_rows

__all__ = ["ModeCoverage", "mode_coverage"]

_ELEMENTS = 1 << 22


@dataclass(frozen=True)
class ModeCoverage:
    """How samples cover known modes.

    Attributes
    ----------
    modes : int
        Modes with at least one sample of high quality.
    high_quality : float
        Share of samples within the radius of their nearest centre, from 0 to 1.
    kl : float
        Divergence, in nats, of the histogram of high-quality samples over all modes from the uniform one; 0 for even
        coverage, log k for a single mode of k, nan if no sample is of high quality.
    counts : tuple of int
        High-quality samples of each mode.
    interval : (float, float)
        95 % interval of the share `high_quality`, by Wilson's score.
    """

    modes: int
    high_quality: float
    kl: float
    counts: tuple[int, ...]
    interval: tuple[float, float]


def mode_coverage(samples: Any, centers: Any, *, radius: float) -> ModeCoverage:
    """Count samples near known modes.

    Parameters
    ----------
    samples : array or tensor of shape (n, d)
        Samples.
    centers : array or tensor of shape (k, d)
        Centres of the modes.
    radius : float
        How far from its centre a sample of high quality may lie; 3 or 4 standard deviations of a mode are the custom.

    Returns
    -------
    ModeCoverage

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If samples or centres are not rows of finite numbers of one length, or the radius is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> centers = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> samples = np.array([[0.1, 0.0], [3.9, 0.0], [4.0, 0.2], [2.0, 2.0]])
    >>> coverage = mode_coverage(samples, centers, radius=0.5)
    >>> coverage.modes, coverage.high_quality, coverage.counts
    (2, 0.75, (1, 2, 0))
    """
    x, c = (as_rows(values, name).astype(np.float64) for values, name in ((samples, "samples"), (centers, "centers")))
    _check.number("radius", radius, above=0.0)
    if len(x) == 0 or len(c) == 0 or x.shape[1] != c.shape[1]:
        raise ShapeError(f"samples, centers: expected (n, d) and (k, d), n and k not 0, got {x.shape} and {c.shape}")
    counts = np.zeros(len(c), dtype=np.int64)
    stretch = max(_ELEMENTS // c.size, 1)
    for start in range(0, len(x), stretch):
        # Differences rather than a product of matrices, which cancels for near points far from the origin.
        squares = np.square(x[start : start + stretch, None] - c[None]).sum(axis=2)
        nearest = squares.argmin(axis=1)
        good = squares.min(axis=1) <= radius**2
        counts += np.bincount(nearest[good], minlength=len(c))
    total = int(counts.sum())
    divergence = float(kl(counts / total, np.full(len(c), 1 / len(c)), normalize=True)) if total else math.nan
    share = total / len(x)
    return ModeCoverage(int((counts > 0).sum()), share, divergence, tuple(counts.tolist()), _wilson(share, len(x)))


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Bounds of a share (E. B. Wilson, 1927), which are right near 0 and 1 too."""
    z = 1.959964
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)
