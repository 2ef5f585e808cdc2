"""Squared maximum mean discrepancy in torch: the definitions of the compiled kernel, on any device, with gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["mmd2", "mmd2_subsets"]

Shape: TypeAlias = tuple[int, float, float, list[float]]


def mmd2(x: Tensor, y: Tensor, *, kernel: str, shape: Shape, unbiased: bool) -> tuple[Tensor, Tensor]:
    """The value over all pairs, and the standard error of the unbiased one."""
    x, y = _rows("x", x, unbiased=unbiased), _rows("y", y, unbiased=unbiased)
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"`y` must have shape (m, {x.shape[1]}); got {tuple(y.shape)}")
    xx, yy, xy = (_values(a, b, kernel, shape) for a, b in ((x, x), (y, y), (x, y)))
    value = _mean(xx, unbiased=unbiased) + _mean(yy, unbiased=unbiased) - 2 * xy.mean()
    with torch.no_grad():
        error = _variance(_off_diagonal(xx.detach()), _off_diagonal(yy.detach()), xy.detach()).sqrt()
    return value, error


def mmd2_subsets(
    x: Tensor,
    y: Tensor,
    *,
    x_rows: npt.NDArray[np.int64],
    y_rows: npt.NDArray[np.int64],
    kernel: str,
    shape: Shape,
    unbiased: bool,
) -> Tensor:
    """The value of each pair of subsets, given by the indices of their rows."""
    pairs = zip(torch.from_numpy(x_rows).to(x.device), torch.from_numpy(y_rows).to(y.device), strict=True)
    return torch.stack([mmd2(x[a], y[b], kernel=kernel, shape=shape, unbiased=unbiased)[0] for a, b in pairs])


def _values(x: Tensor, y: Tensor, kernel: str, shape: Shape) -> Tensor:
    degree, gamma, coef0, bandwidths = shape
    if kernel == "polynomial":
        return (gamma * (x @ y.T) + coef0) ** degree
    # The centre takes no part in the distance, nor in its gradient; without it fewer digits cancel.
    center = x.detach().mean(0)
    a, b = x - center, y - center
    squares = (a.square().sum(1)[:, None] + b.square().sum(1)[None, :] - 2 * (a @ b.T)).clamp_min(0)
    if kernel == "rbf":
        return sum((-0.5 * squares / s**2).exp() for s in bandwidths) + torch.zeros_like(squares)
    return sum((1 + squares * (0.5 / a)) ** -a for a in bandwidths) + torch.zeros_like(squares)


def _off_diagonal(values: Tensor) -> Tensor:
    return values - values.diag().diag()


def _mean(values: Tensor, *, unbiased: bool) -> Tensor:
    n = len(values)
    return _off_diagonal(values).sum() / (n * (n - 1)) if unbiased else values.mean()


def _variance(xx: Tensor, yy: Tensor, xy: Tensor) -> Tensor:
    n, m = xy.shape
    if min(n, m) < 4:
        return xy.new_full((), torch.nan)
    total, squares, by_x, by_y = xy.sum(), xy.square().sum(), xy.sum(1), xy.sum(0)
    shared_x = (by_x.square().sum() - squares) / (n * m * (m - 1))
    shared_y = (by_y.square().sum() - squares) / (n * m * (n - 1))
    apart = (total**2 - by_x.square().sum() - by_y.square().sum() + squares) / (n * m * (n - 1) * (m - 1))
    variance = 4 / (n * m) * (squares / (n * m) - shared_x - shared_y + apart).clamp_min(0)
    for within, cross, shared in ((xx, by_x, shared_x), (yy, by_y, shared_y)):
        size, other = len(within), n * m // len(within)
        rows, pairs, square = within.sum(1), size * (size - 1), within.square().sum()
        own = (rows.square().sum() - square) / (pairs * (size - 2))
        own_apart = (rows.sum() ** 2 - 4 * rows.square().sum() + 2 * square) / (pairs * (size - 2) * (size - 3))
        mixed = (rows * cross).sum()
        mixed_apart = (rows.sum() * total - 2 * mixed) / (pairs * (size - 2) * other)
        first = (own - own_apart) - 2 * (mixed / (pairs * other) - mixed_apart) + (shared - apart)
        variance = variance + 4 / size * first.clamp_min(0)
        variance = variance + 2 / pairs * (square / pairs - 2 * own + own_apart).clamp_min(0)
    return variance


def _rows(name: str, rows: Tensor, *, unbiased: bool) -> Tensor:
    least = 2 if unbiased else 1
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ShapeError(f"`{name}` must have shape (n, d); got {tuple(rows.shape)}")
    if len(rows) < least:
        raise ShapeError(f"`{name}` must have at least {least} rows; got {len(rows)}")
    wrong = ~rows.isfinite()
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        raise DomainError(f"`{name}` must be finite; got {rows[row, column].item()} in row {row}, column {column}")
    return rows.double()
