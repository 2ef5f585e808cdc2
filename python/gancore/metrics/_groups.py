"""Random groups, each left out in turn, and the quantiles of Student's t that belong to a few of them."""

from __future__ import annotations

__all__ = ["group_count", "quantile"]

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
