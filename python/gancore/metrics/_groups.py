r"""Samples in random groups, of which moments alone are kept, and the jackknife that leaves out each group in turn.

B. Efron and C. Stein, "The jackknife estimate of variance" (1981), with groups in place of single samples: each of k
groups is left out once, on both sides at a time where there are samples on both, and with the k distances D_g

.. math::
    s^2 = \frac{k-1}{k} \sum_g (D_g - \bar D)^2.

Memory is that of k covariance matrices, whatever the number of samples.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gancore.metrics._look import Rows

__all__ = ["Groups", "group_count", "jackknife", "quantile"]

Gaussian: TypeAlias = "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]"

_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
)  # fmt: skip
"""The 97.5 % points of Student's t with 1 to 19 degrees of freedom."""


def quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t; that of 19 degrees of freedom, a little larger, for more of them."""
    return _STUDENT[min(freedom, len(_STUDENT)) - 1]


def group_count(dim: int) -> int:
    """How many groups: 20, or 10 where a covariance matrix is large."""
    return 20 if dim <= 512 else 10


@final
class Groups:
    """The moments of all rows, and of random groups of them of nearly equal size.

    Those of all are not merged from the groups, so that no bit of a score hangs on how its interval is found.

    Parameters
    ----------
    dim, k : int
        Features of a row; groups, which may be none.
    seed : sequence of int
        Decides which row goes where; how rows are cut into batches does not.
    """

    def __init__(self, dim: int, k: int, seed: Sequence[int]) -> None:
        self.whole = FeatureMoments(dim)
        self.moments = [FeatureMoments(dim) for _ in range(k)]
        self._random = np.random.default_rng(seed)
        self._next = np.empty(0, dtype=np.int64)

    def update(self, rows: Rows) -> None:
        """Take in rows."""
        self.whole.update(rows)
        k = len(self.moments)
        if not k:
            return
        rounds = -(-max(len(rows) - len(self._next), 0) // k)
        new = self._random.permuted(np.tile(np.arange(k), (rounds, 1)), axis=1).ravel()
        labels = np.concatenate((self._next, new))
        self._next = labels[len(rows) :]
        labels = labels[: len(rows)]
        for group, moments in enumerate(self.moments):
            part = rows[labels == group]
            if len(part):
                moments.update(part)


def jackknife(
    distance: Callable[[Any, Any], float],
    real: FeatureMoments,
    fake: FeatureMoments,
    real_groups: Sequence[FeatureMoments],
    fake_groups: Sequence[FeatureMoments],
) -> tuple[float, int] | None:
    """Standard error of a distance of moments and its degrees of freedom; None if no side has groups enough.

    A side without groups is held fixed.
    """
    sides = [_filled(real_groups), _filled(fake_groups)]
    if len(sides[0]) == len(sides[1]) > 1:
        pairs = zip(_left_out(sides[0]), _left_out(sides[1]), strict=True)
        return _error([distance(left, right) for left, right in pairs]), len(sides[0]) - 1
    errors = []
    if len(sides[0]) > 1:
        errors.append(_error([distance(left, fake) for left in _left_out(sides[0])]))
    if len(sides[1]) > 1:
        errors.append(_error([distance(real, left) for left in _left_out(sides[1])]))
    if not errors:
        return None
    return math.hypot(*errors), min(len(side) for side in sides if len(side) > 1) - 1


def _filled(groups: Sequence[FeatureMoments]) -> list[FeatureMoments]:
    """Groups with rows, if what is left without any one of them has a covariance."""
    filled = [group for group in groups if group.count]
    counts = [group.count or 0 for group in filled]
    return filled if filled and sum(counts) - max(counts) >= 2 else []


def _error(values: Sequence[float]) -> float:
    k = len(values)
    return math.sqrt((k - 1) / k * float(np.square(np.subtract(values, np.mean(values))).sum()))


def _left_out(groups: Sequence[FeatureMoments]) -> Iterator[Gaussian]:
    """Mean and covariance of all groups but one, for each.

    Sums of scatters rather than a difference: what is left stays positive semi-definite to rounding.
    """
    counts = np.array([group.count for group in groups], dtype=np.float64)
    means = np.stack([np.asarray(group.mean) for group in groups])
    for out in range(len(groups)):
        kept = [group for group in range(len(groups)) if group != out]
        n, origin = counts[kept].sum(), means[kept[0]]
        mean = origin + counts[kept] @ (means[kept] - origin) / n
        apart = (means[kept] - mean) * np.sqrt(counts[kept])[:, None]
        scatter = apart.T @ apart
        for group in kept:
            if counts[group] > 1:
                scatter += np.asarray(groups[group].covariance) * (counts[group] - 1)
        yield mean, scatter / (n - 1)
