"""Precision, recall, density and coverage together: one pass over real samples x fakes in place of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gancore import _check
from gancore.kernels.neighbors import ball_counts, knn_distances, knn_radii
from gancore.metrics._manifold import two_sides
from gancore.metrics.density_coverage import DensityCoverage
from gancore.metrics.precision_recall import PrecisionRecall

__all__ = ["PRDC", "prdc"]


@dataclass(frozen=True)
class PRDC:
    """The four numbers, in the two results that their papers define.

    Attributes
    ----------
    precision_recall : PrecisionRecall
        As :func:`gancore.metrics.precision_recall` gives it.
    density_coverage : DensityCoverage
        As :func:`gancore.metrics.density_coverage` gives it.
    """

    precision_recall: PrecisionRecall
    density_coverage: DensityCoverage


def prdc(real: Any, fake: Any, *, recall_k: int = 3, coverage_k: int = 5) -> PRDC:
    """All four numbers of features, equal to those of the separate functions.

    Parameters
    ----------
    real, fake : array or tensor of shape (n, d) and (m, d)
        Features, one sample a row.
    recall_k, coverage_k : int
        Which neighbour spans a ball for precision and recall, and for density and coverage.

    Returns
    -------
    PRDC

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If the features are not rows of finite numbers of one length, or a side has not more than k rows.

    Notes
    -----
    O((n + m)^2 d) time, O(n + m) memory.

    Examples
    --------
    >>> real = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    >>> fake = np.array([[0.5], [1.5], [2.5], [30.0]])
    >>> found = prdc(real, fake, recall_k=1, coverage_k=1)
    >>> found.precision_recall.recall, found.density_coverage.coverage
    (1.0, 0.8)
    """
    _check.integer("recall_k", recall_k, least=1)
    _check.integer("coverage_k", coverage_k, least=1)
    x, y = two_sides(real, fake, max(recall_k, coverage_k))
    distances = knn_distances(x, max(recall_k, coverage_k))
    # The border belongs to the balls of precision and recall, not to those of density and coverage.
    radii = np.stack([distances[:, recall_k - 1], np.nextafter(distances[:, coverage_k - 1], -np.inf)])
    counts = ball_counts(x, y, x_radii=radii, y_radii=knn_radii(y, recall_k))
    return PRDC(
        PrecisionRecall.counted(counts.y_held[0] > 0, counts.x_held > 0, recall_k),
        DensityCoverage.counted(counts.y_held[1], counts.x_holds[1] > 0, coverage_k),
    )
