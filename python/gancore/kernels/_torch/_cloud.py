"""Distances of clouds of points in torch: on any device, with gradients in the points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError
from gancore.kernels._torch import _philox
from gancore.kernels._torch._line import root_of_mean, steps

__all__ = ["energy_distance", "max_sliced_wasserstein", "sliced_wasserstein"]

_DIRECTIONS = 16 + 239
_STARTS = 8
_STEPS = 200


def sliced_wasserstein(x: Tensor, y: Tensor, *, p: float, n_projections: int, seed: int) -> Tensor:
    """W_p along random directions, averaged."""
    x, y = _clouds(x, y)
    along = _along(x, y, _directions(n_projections, x, seed), p)
    return root_of_mean(along, torch.full_like(along, 1.0 / n_projections), p)


def max_sliced_wasserstein(x: Tensor, y: Tensor, *, p: float, n_projections: int, seed: int) -> tuple[Tensor, Tensor]:
    """W_p along a direction found by ascent, and the direction."""
    x, y = _clouds(x, y)
    with torch.no_grad():
        directions = _directions(n_projections, x, seed)
        best = _along(x, y, directions, p).argsort(descending=True, stable=True)[:_STARTS]
        starts = list(directions[best])
    between = (x.mean(0) - y.mean(0)).detach()
    if between.norm() > 0:
        starts.append(between / between.norm())
    found = [_climb(x.detach(), y.detach(), p, start) for start in starts]
    direction = max(found, key=lambda end: end[0])[1]
    return _along(x, y, direction[None], p)[0], direction


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    """The root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|."""
    x, y = _clouds(x, y)
    if x.shape[1] == 1:
        points, order = torch.cat([x[:, 0], y[:, 0]]).sort()
        n, m = len(x), len(y)
        height = torch.where(order < n, m, -n).cumsum(0).double() / (n * m)
        square = 2 * (height[:-1] ** 2 * points.diff()).sum()
    else:
        exactly = "donot_use_mm_for_euclid_dist"
        across, of_x, of_y = (torch.cdist(a, b, compute_mode=exactly) for a, b in ((x, y), (x, x), (y, y)))
        square = 2 * across.mean() - of_x.mean() - of_y.mean()
    # At distance zero the root has no gradient, and zero is taken for it.
    return torch.sqrt(square) if square > 0 else torch.mul(square, 0.0)


def _clouds(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    for name, points in (("x", x), ("y", y)):
        if points.ndim != 2 or 0 in points.shape:
            raise ShapeError(f"`{name}` must have shape (n, d), neither of them 0; got {tuple(points.shape)}")
        if not points.isfinite().all():
            raise DomainError(f"`{name}` must have finite points; got nan or inf")
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"`y` must have shape (m, {x.shape[1]}); got {tuple(y.shape)}")
    return x.double(), y.double()


def _directions(n: int, like: Tensor, seed: int) -> Tensor:
    normals = _philox.normals(n, like.shape[1], stream=_DIRECTIONS, counter=(seed, 0, 0), device=like.device)
    directions: Tensor = normals / torch.linalg.vector_norm(normals, dim=1, keepdim=True)
    return directions


def _along(x: Tensor, y: Tensor, directions: Tensor, p: float) -> Tensor:
    """W_p along each direction."""
    left, right = (directions @ x.T).sort(dim=-1).values, (directions @ y.T).sort(dim=-1).values
    width, i, j = steps(len(x), len(y), x.device)
    return root_of_mean((left[:, i] - right[:, j]).abs(), width, p)


def _climb(x: Tensor, y: Tensor, p: float, start: Tensor) -> tuple[float, Tensor]:
    """Ascend from a direction, as the compiled kernel does."""
    best, value, uphill = start, *_slope(x, y, p, start)
    reach = 1.0
    for _ in range(_STEPS):
        before = value
        while reach > 1e-9 and math.isfinite(uphill.norm().item()) and uphill.norm() > 0:
            mixed = (1 - reach) * best + reach * uphill / uphill.norm()
            if mixed.norm() == 0:
                break
            candidate = mixed / mixed.norm()
            higher, gradient = _slope(x, y, p, candidate)
            if higher > value:
                best, value, uphill = candidate, higher, gradient
                break
            reach *= 0.5
        if value <= before * (1 + 1e-12):
            break
        reach = min(1.0, 4 * reach)
    return value, best


def _slope(x: Tensor, y: Tensor, p: float, direction: Tensor) -> tuple[float, Tensor]:
    with torch.enable_grad():
        direction = direction.detach().requires_grad_()
        value = _along(x, y, direction[None], p)[0]
        (gradient,) = torch.autograd.grad(value, direction)
    return value.item(), gradient
