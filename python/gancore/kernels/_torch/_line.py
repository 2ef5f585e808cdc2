"""The monotone coupling of samples on the line in torch: its cells, and the mean cost over them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["root_of_mean", "steps", "weighted_steps"]

# A step narrower than this many roundings of 1, and than this part of its atoms, comes of rounding.
_ROUNDING = 8 * 2.0**-52
_PART = 1e-6


def steps(n: int, m: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Widths of the common steps of two quantile functions, and the points of x and y on each of them."""
    ends_x = m * torch.arange(1, n + 1, device=device)
    ends_y = n * torch.arange(1, m + 1, device=device)
    ends: Tensor = torch.unique(torch.cat([ends_x, ends_y]))
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    return (ends - starts).double() / (n * m), starts // m, starts // n


def weighted_steps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Widths of the steps of masses of sum 1, which of them are felt, and the atoms of each.

    Where levels meet that of a comes first, and the step between has width 0 but a gradient: the steps are a staircase
    through the coupling, whose potentials are an optimal dual, so the gradient is a subgradient there.
    """
    n, m = a.shape[-1], b.shape[-1]
    ends, order = torch.cat([_levels(a), _levels(b)], dim=-1).sort(dim=-1, stable=True)
    of_a = (order < n).long()
    i = (of_a.cumsum(-1) - of_a).clamp(max=n - 1)
    j = ((1 - of_a).cumsum(-1) - (1 - of_a)).clamp(max=m - 1)
    width = ends.diff(dim=-1, prepend=torch.zeros_like(ends[..., :1]))
    lightest = torch.minimum(a.detach().gather(-1, i), b.detach().gather(-1, j))
    exact = width.detach()
    felt = (exact > _ROUNDING) | (exact > _PART * lightest)
    felt &= exact > 0
    return width - torch.where(felt, torch.zeros_like(exact), exact), felt, i, j


def _levels(masses: Tensor) -> Tensor:
    """Cumulative masses, of which the last is 1 and none more, whatever was rounded."""
    levels = masses.cumsum(-1)
    last = torch.ones_like(levels[..., :1])
    return torch.cat([levels[..., :-1] - (levels[..., :-1].detach() - 1).clamp(min=0), last], dim=-1)


def root_of_mean(difference: Tensor, width: Tensor, p: float, felt: Tensor | None = None) -> Tensor:
    """(sum of width * difference^p)^(1/p), for p = inf the largest difference of a step that is felt."""
    if p == 1.0:
        return (width * difference).sum(-1)
    seen = difference if felt is None else difference.masked_fill(~felt, 0.0)
    largest = seen.amax(-1)
    if p == math.inf:
        return largest
    # Divided by the largest difference no power overflows; where all are zero so is the distance, with gradient zero.
    apart = largest > 0
    scale = torch.where(apart, largest, torch.ones_like(largest)).detach()
    ratio = difference / scale.unsqueeze(-1)
    if felt is not None:
        # A step of width 0 may be longer than any that is felt, by so much that its power overflows.
        ratio = torch.where(felt, ratio, ratio.clamp(max=1e100 ** (1 / p)))
    mean = (width * ratio**p).sum(-1)
    root = torch.where(apart, mean, torch.ones_like(mean)) ** (1.0 / p)
    return torch.where(apart, scale * root, torch.zeros_like(root))
