"""Which samples lie near the other side's: what precision, recall, density and coverage count, in one pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore import _check
from gancore.errors import DomainError, ShapeError
from gancore.metrics._look import as_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gancore.metrics._look import Rows

__all__ = ["mean_interval", "share_interval", "two_sides"]

# The 97.5 % point of the normal distribution.
_NORMAL = 1.959963984540054


def two_sides(real: Any, fake: Any, k: int) -> tuple[Rows, Rows]:
    """Features of both sides, checked: of one length, and more than k rows each."""
    _check.integer("k", k, least=1)
    x, y = as_rows(real, "real"), as_rows(fake, "fake")
    if x.shape[1] != y.shape[1] or x.shape[1] == 0:
        raise ShapeError(f"real, fake: expected (n, d) and (m, d) with one d, got {x.shape} and {y.shape}")
    for name, rows in (("real", x), ("fake", y)):
        if len(rows) <= k:
            raise DomainError(f"k: expected less than the {len(rows)} rows of {name}, got {k}")
    return x, y


def share_interval(inside: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """95 % interval of a share, Wilson's (1927): within [0, 1] and not empty at its ends."""
    n, share = len(inside), float(inside.mean())
    z = _NORMAL**2 / n
    middle = (share + z / 2) / (1 + z)
    half = math.sqrt(share * (1 - share) * z + z * z / 4) / (1 + z)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean_interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the mean of non-negative numbers, by the normal distribution."""
    mean, half = float(values.mean()), _NORMAL * float(values.std(ddof=1)) / math.sqrt(len(values))
    return max(mean - half, 0.0), mean + half
