"""Exact Wasserstein distances between samples on the line, in the units of the points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore.errors import DomainError, DTypeError
from gancore.kernels._dispatch import call

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["wasserstein_1d"]


def wasserstein_1d(x: Array, y: Array, *, p: float = 1.0) -> Any:
    r"""Wasserstein distance of order p between two samples on the line.

    .. math::
        W_p(x, y) = \left( \int_0^1 |F_x^{-1}(u) - F_y^{-1}(u)|^p \, du \right)^{1/p}

    with the quantile functions of the samples; for p = inf the largest difference of them. Exact for samples of
    unequal size: the steps of the quantile functions are merged as integers.

    Parameters
    ----------
    x : array of shape (..., n), float32 or float64
        Points on the last axis, in any order.
    y : array of shape (..., m), float32 or float64
        Points on the last axis, with the leading axes of `x`. NumPy arrays, or torch tensors on one device
        (differentiable in the points).
    p : float, default 1
        Order, from 1 to inf.

    Returns
    -------
    array of shape (...), float64
        The distance, its p-th root taken; a float for a single pair of NumPy samples.

    Raises
    ------
    ShapeError
        If a sample is empty or the leading axes differ.
    DomainError
        If a point is nan or infinite, or p is below 1.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O((n + m) log (n + m)) a row; rows run in parallel. Villani, *Topics in Optimal Transportation* (2003),
    theorem 2.18.

    Examples
    --------
    >>> wasserstein_1d([0.0, 1.0], [5.0, 6.0])
    5.0
    >>> round(wasserstein_1d([0.0, 3.0], [0.0], p=2), 6)
    2.12132
    """
    if isinstance(p, bool) or not isinstance(p, int | float):
        raise DTypeError(f"`p` must be a number; got {type(p).__name__}")
    if not p >= 1:
        raise DomainError(f"`p` must be at least 1; got {p}")
    return call("wasserstein", "wasserstein_1d", x=x, y=y, settings={"p": float(p)})
