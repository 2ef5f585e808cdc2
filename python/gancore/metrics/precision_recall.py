"""Improved precision and recall: how many fakes look real, and how much of the real the fakes reach.

With the ball around each sample out to its k-th nearest neighbour on its own side, border included: precision is the
share of fakes in at least one ball of a real sample, recall the share of real samples in at least one ball of a fake.
T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models" (2019), equations 1
and 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gancore.kernels.neighbors import ball_counts, knn_radii
from gancore.metrics._manifold import share_interval, two_sides

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["PrecisionRecall", "precision_recall"]


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall, from 0 to 1, larger being better.

    Attributes
    ----------
    precision, recall : float
        Share of fakes within the real samples, share of real samples within the fakes.
    precision_interval, recall_interval : (float, float)
        95 % intervals by Wilson's formula over the samples that are counted, the balls held fixed.
    k, n_real, n_fake : int
        The neighbour that spans a ball, and samples on each side.
    """

    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    k: int
    n_real: int
    n_fake: int

    @classmethod
    def counted(cls, precise: npt.NDArray[np.bool_], recalled: npt.NDArray[np.bool_], k: int) -> PrecisionRecall:
        """The result of which fakes lie within the real samples, and which real samples within the fakes."""
        return cls(
            precision=float(precise.mean()),
            recall=float(recalled.mean()),
            precision_interval=share_interval(precise),
            recall_interval=share_interval(recalled),
            k=k,
            n_real=len(recalled),
            n_fake=len(precise),
        )


def precision_recall(real: Any, fake: Any, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of features.

    Parameters
    ----------
    real, fake : array or tensor of shape (n, d) and (m, d)
        Features, one sample a row. Values of different n, m or k cannot be compared.
    k : int
        Which neighbour spans a ball; 3 in the paper.

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If the features are not rows of finite numbers of one length, or a side has not more than k rows.

    Notes
    -----
    O((n + m)^2 d) time, O(n + m) memory. Ties are exact: a fake at the distance of the radius lies within.

    Examples
    --------
    >>> import numpy as np
    >>> real = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    >>> fake = np.array([[0.5], [1.5], [2.5], [30.0]])
    >>> result = precision_recall(real, fake, k=1)
    >>> result.precision, result.recall
    (0.75, 1.0)
    """
    x, y = two_sides(real, fake, k)
    counts = ball_counts(x, y, x_radii=knn_radii(x, k), y_radii=knn_radii(y, k), inclusive=True)
    return PrecisionRecall.counted(counts.y_held > 0, counts.x_held > 0, k)
