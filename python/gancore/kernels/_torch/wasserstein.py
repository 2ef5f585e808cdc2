"""Transport on the line and on the circle in torch: on any device, with gradients in points and weights.

Cumulative weights are sums of doubles here: a mass below 1e-16 of the total is not seen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gancore.errors import BackendError, DomainError, ShapeError
from gancore.kernels._torch._circle import cut
from gancore.kernels._torch._cloud import energy_distance, max_sliced_wasserstein, sliced_wasserstein
from gancore.kernels._torch._line import root_of_mean, steps, weighted_steps

__all__ = [
    "coupling_1d",
    "cramer_distance",
    "energy_distance",
    "max_sliced_wasserstein",
    "sliced_wasserstein",
    "wasserstein_1d",
    "wasserstein_circle",
]

_TOTAL_TOLERANCE = 1e-5
_Weights = Tensor | None


def wasserstein_1d(x: Tensor, y: Tensor, x_weights: _Weights = None, y_weights: _Weights = None, *, p: float) -> Tensor:
    """W_p between samples on the last axes."""
    _check(x, y, x_weights, y_weights)
    (x, of_x), (y, of_y) = x.double().sort(dim=-1), y.double().sort(dim=-1)
    if x_weights is None and y_weights is None:
        width, i, j = steps(x.shape[-1], y.shape[-1], x.device)
        return root_of_mean((x[..., i] - y[..., j]).abs(), width, p)
    a, b = _masses(x, x_weights).gather(-1, of_x), _masses(y, y_weights).gather(-1, of_y)
    width, felt, i, j = weighted_steps(a, b)
    difference = (x.gather(-1, i) - y.gather(-1, j)).abs()
    return root_of_mean(difference, width, p, felt)


def wasserstein_circle(
    x: Tensor, y: Tensor, x_weights: _Weights = None, y_weights: _Weights = None, *, p: float, period: float
) -> Tensor:
    """W_p between samples on a circle: by the median of F - G for p = 1, else cut open where levels meet."""
    _check(x, y, x_weights, y_weights)
    x, y = (points.double() - period * (points.detach().double() / period).floor() for points in (x, y))
    if p != 1.0:
        return _cut_open(x, y, (x_weights, y_weights), p=p, period=period)
    points, height = _heights(x, y, x_weights, y_weights)
    cut = points[..., :1] + (period - points[..., -1:])
    arcs = torch.cat([points.diff(dim=-1), cut], dim=-1)
    ascending, order = height.sort(dim=-1)
    middle = (arcs.detach().gather(-1, order).cumsum(-1) >= 0.5 * period).int().argmax(-1, keepdim=True)
    # The gradient passes through the median too: its own arc pulls it as far as the others leave unbalanced.
    return ((height - ascending.gather(-1, middle)).abs() * arcs).sum(-1)


def _cut_open(x: Tensor, y: Tensor, weights: tuple[_Weights, _Weights], *, p: float, period: float) -> Tensor:
    (x, of_x), (y, of_y) = x.sort(dim=-1), y.sort(dim=-1)
    a, b = _masses(x, weights[0]).gather(-1, of_x), _masses(y, weights[1]).gather(-1, of_y)
    with torch.no_grad():
        at_x, at_y, laps_x, laps_y = cut(x, y, a, b, p=p, period=period)
    x, y = x.gather(-1, at_x) + period * laps_x, y.gather(-1, at_y) + period * laps_y
    if weights == (None, None):
        width, i, j = steps(x.shape[-1], y.shape[-1], x.device)
        return root_of_mean((x[..., i] - y[..., j]).abs(), width, p)
    width, felt, i, j = weighted_steps(a.gather(-1, at_x), b.gather(-1, at_y))
    return root_of_mean((x.gather(-1, i) - y.gather(-1, j)).abs(), width, p, felt)


def cramer_distance(x: Tensor, y: Tensor, x_weights: _Weights = None, y_weights: _Weights = None) -> Tensor:
    """Cramér distance between samples on the last axes."""
    _check(x, y, x_weights, y_weights)
    points, height = _heights(x.double(), y.double(), x_weights, y_weights)
    square = (height[..., :-1] ** 2 * points.diff(dim=-1)).sum(-1)
    apart = square > 0
    return torch.where(apart, torch.where(apart, square, torch.ones_like(square)).sqrt(), torch.zeros_like(square))


def coupling_1d(**_: object) -> Tensor:
    """Refuse: couplings are lists of indices, which have no gradient, and are made on the CPU."""
    raise BackendError(
        "coupling_1d takes CPU tensors whose gradient is not recorded; detach `x` and `y`, or use a distance"
    )


def _heights(x: Tensor, y: Tensor, x_weights: _Weights, y_weights: _Weights) -> tuple[Tensor, Tensor]:
    """All points in order, and the difference of the distribution functions from each of them on."""
    points, order = torch.cat([x, y], dim=-1).sort(dim=-1)
    n, m = x.shape[-1], y.shape[-1]
    if x_weights is None and y_weights is None:
        return points, torch.where(order < n, m, -n).cumsum(-1).double() / (n * m)
    rises = torch.cat([_masses(x, x_weights), -_masses(y, y_weights)], dim=-1)
    return points, rises.gather(-1, order).cumsum(-1)


def _masses(points: Tensor, weights: _Weights) -> Tensor:
    if weights is None:
        return torch.full_like(points, 1.0 / points.shape[-1])
    weights = weights.double()
    return weights / weights.sum(-1, keepdim=True)


def _check(x: Tensor, y: Tensor, x_weights: _Weights, y_weights: _Weights) -> None:
    for name, points in (("x", x), ("y", y)):
        if points.ndim == 0 or points.shape[-1] == 0:
            raise ShapeError(f"`{name}` must have at least one point on the last axis; got shape {tuple(points.shape)}")
        _refuse(name, points, ~points.isfinite(), "have finite points")
    if x.shape[:-1] != y.shape[:-1]:
        raise ShapeError(f"`y` must have the leading axes of `x`, {tuple(x.shape[:-1])}; got shape {tuple(y.shape)}")
    totals = []
    for name, weights, points in (("x_weights", x_weights, x), ("y_weights", y_weights, y)):
        if weights is None:
            continue
        if weights.shape != points.shape:
            raise ShapeError(f"`{name}` must have shape {tuple(points.shape)}; got {tuple(weights.shape)}")
        _refuse(name, weights, ~((weights >= 0) & weights.isfinite()), "have finite weights >= 0 of finite total")
        totals.append(weights.detach().double().sum(-1))
        if (totals[-1] == 0).any():
            raise DomainError(f"`{name}` must have positive total weight; got 0")
        if totals[-1].isinf().any():
            raise DomainError(f"`{name}` must have finite weights >= 0 of finite total; got total inf")
    if len(totals) == 2:
        first, second = totals
        apart = (first - second).abs() > _TOTAL_TOLERANCE * torch.maximum(first, second)
        if apart.any():
            got, expected = second[apart].flatten()[0].item(), first[apart].flatten()[0].item()
            raise DomainError(f"`y_weights` must have the total of `x_weights`, {expected}; got {got}")


def _refuse(name: str, values: Tensor, wrong: Tensor, expected: str) -> None:
    if wrong.any():
        row, index = divmod(int(wrong.flatten().nonzero()[0]), values.shape[-1])
        place = f"row {row}, index {index}" if values.ndim > 1 else f"index {index}"
        raise DomainError(f"`{name}` must {expected}; got {values.flatten()[wrong.flatten()][0].item()} at {place}")
