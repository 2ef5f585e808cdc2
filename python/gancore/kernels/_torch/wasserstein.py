"""Wasserstein distances on the line in torch: on any device, with gradients with respect to the points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

__all__ = ["wasserstein_1d"]


def wasserstein_1d(x: Tensor, y: Tensor, *, p: float) -> Tensor:
    """W_p between samples on the last axes."""
    for name, points in (("x", x), ("y", y)):
        if points.ndim == 0 or points.shape[-1] == 0:
            raise ShapeError(f"`{name}` must have at least one point on the last axis; got shape {tuple(points.shape)}")
        if not points.isfinite().all():
            raise DomainError(f"`{name}` must have finite points; got nan or inf")
    if x.shape[:-1] != y.shape[:-1]:
        raise ShapeError(f"`y` must have the leading axes of `x`, {tuple(x.shape[:-1])}; got shape {tuple(y.shape)}")
    x, y = x.double().sort(dim=-1).values, y.double().sort(dim=-1).values
    width, i, j = _steps(x.shape[-1], y.shape[-1], x.device)
    difference = (x[..., i] - y[..., j]).abs()
    if p == 1.0:
        return (width * difference).sum(-1)
    largest = difference.amax(-1)
    if p == math.inf:
        return largest
    # Divided by the largest difference no power overflows; where all are zero so is the distance, with gradient zero.
    apart = largest > 0
    scale = torch.where(apart, largest, torch.ones_like(largest)).detach()
    mean = (width * (difference / scale.unsqueeze(-1)) ** p).sum(-1)
    root = torch.where(apart, mean, torch.ones_like(mean)) ** (1.0 / p)
    return torch.where(apart, scale * root, torch.zeros_like(root))


def _steps(n: int, m: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Widths of the common steps of two quantile functions, and the points of x and y on each of them."""
    ends_x = m * torch.arange(1, n + 1, device=device)
    ends_y = n * torch.arange(1, m + 1, device=device)
    ends: Tensor = torch.unique(torch.cat([ends_x, ends_y]))
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    return (ends - starts).double() / (n * m), starts // m, starts // n
