r"""Density and coverage: how densely real samples surround the fakes, and how many real samples have a fake nearby.

.. math::
    \mathrm{density} = \frac{1}{k m} \sum_{j=1}^m \sum_{i=1}^n 1[\,d(x_i, y_j) < r_i\,], \qquad
    \mathrm{coverage} = \frac1n \sum_{i=1}^n 1[\,\exists j: d(x_i, y_j) < r_i\,]

with r_i the distance of real sample i to its k-th nearest other real sample. M. F. Naeem et al., "Reliable Fidelity and
Diversity Metrics for Generative Models" (2020), equations 3 and 4. Coverage lies in [0, 1]; density may pass 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gancore.kernels.neighbors import ball_counts, knn_radii
from gancore.metrics._manifold import mean_interval, share_interval, two_sides

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["DensityCoverage", "density_coverage"]


@dataclass(frozen=True)
class DensityCoverage:
    """Density and coverage, larger being better.

    Attributes
    ----------
    density, coverage : float
        Near 1 where both sides have one distribution: 1 and 1 - 2^-k in expectation, for many samples and n = m.
    density_interval, coverage_interval : (float, float)
        95 % intervals over the samples that are counted, the balls held fixed: normal for density,
        Wilson's for coverage.
    k, n_real, n_fake : int
        The neighbour that spans a ball, and samples on each side.
    """

    density: float
    coverage: float
    density_interval: tuple[float, float]
    coverage_interval: tuple[float, float]
    k: int
    n_real: int
    n_fake: int

    @classmethod
    def counted(cls, balls: npt.NDArray[np.int64], covered: npt.NDArray[np.bool_], k: int) -> DensityCoverage:
        """The result of how many balls of real samples hold each fake, and which of them hold any."""
        weights = balls / k
        return cls(
            density=float(weights.mean()),
            coverage=float(covered.mean()),
            density_interval=mean_interval(weights),
            coverage_interval=share_interval(covered),
            k=k,
            n_real=len(covered),
            n_fake=len(balls),
        )


def density_coverage(real: Any, fake: Any, k: int = 5) -> DensityCoverage:
    """Density and coverage of features.

    Parameters
    ----------
    real, fake : array or tensor of shape (n, d) and (m, d)
        Features, one sample a row. Values of different n, m or k cannot be compared.
    k : int
        Which neighbour spans a ball; 5 in the paper.

    Returns
    -------
    DensityCoverage

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If the features are not rows of finite numbers of one length, or a side has not more than k rows.

    Notes
    -----
    O(n (n + m) d) time, O(n + m) memory. Ties are exact: a fake at the distance of the radius lies without, and real
    samples that are all equal have empty balls.

    Examples
    --------
    >>> import numpy as np
    >>> real = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    >>> fake = np.array([[0.5], [1.5], [2.5], [30.0]])
    >>> result = density_coverage(real, fake, k=1)
    >>> result.density, result.coverage
    (1.5, 0.8)
    """
    x, y = two_sides(real, fake, k)
    counts = ball_counts(x, y, x_radii=knn_radii(x, k), inclusive=False)
    return DensityCoverage.counted(counts.y_held, counts.x_holds > 0, k)
