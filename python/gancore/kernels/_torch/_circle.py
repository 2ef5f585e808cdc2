"""Transport on the circle in torch: where to cut it open, after which it is transport on the line.

The cost of turning the quantile function of y by a level theta is convex and, between discrete measures, affine but
where a level of x meets one of y (Delon, Salomon and Sobolevski, *Fast transport optimization for Monge costs on the
circle*, 2010, theorem 2.9), so it is least where two levels meet. They go on meeting while weights change a little: cut
there, and gradients in points and weights are those of the line.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["cut"]

# Halvings of [-1, 1] to a rounding of a level.
_HALVINGS = 56

# Points, the levels at which their steps end, and which of them have mass.
_Side: TypeAlias = tuple[Tensor, Tensor, Tensor]


def cut(
    x: Tensor, y: Tensor, a: Tensor, b: Tensor, *, p: float, period: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cut samples in order, rows of points in [0, period) and masses of sum 1: indices from there, and whole turns."""
    ends_x, ends_y = a.cumsum(-1), b.cumsum(-1)
    ends_x[..., -1], ends_y[..., -1] = 1.0, 1.0
    sides = (x, ends_x, a > 0), (y, ends_y, b > 0)
    low, high = -torch.ones_like(x[..., :1]), torch.ones_like(x[..., :1])
    for _ in range(_HALVINGS):
        turn = 0.5 * (low + high)
        rising = _rises(sides, turn, p, period)
        low, high = torch.where(rising, low, turn), torch.where(rising, turn, high)
    i, j, laps = _meeting(ends_x, ends_y, 0.5 * (low + high))
    n, m = x.shape[-1], y.shape[-1]
    from_x, from_y = i + 1 + torch.arange(n, device=x.device), j + 1 + torch.arange(m, device=x.device)
    return from_x % n, from_y % m, laps + from_x // n, from_y // m


def _rises(sides: tuple[_Side, _Side], turn: Tensor, p: float, period: float) -> Tensor:
    """Whether the cost does not fall from a turn on."""
    (x, ends_x, felt_x), (y, ends_y, felt_y) = sides
    # The point of x at the level at which each step of y ends.
    across = _quantile(x, ends_x, ends_y + turn, period)
    if p == math.inf:
        # Turning further only raises differences x - y. Each cell of the coupling ends with a step of x or of y.
        difference = torch.cat([across - y, x - _quantile(y, ends_y, ends_x - turn, period)], dim=-1)
        seen = torch.cat([felt_y, felt_x], dim=-1)
        up, down = difference.masked_fill(~seen, -math.inf), (-difference).masked_fill(~seen, -math.inf)
        return up.amax(-1, keepdim=True) >= down.amax(-1, keepdim=True)
    following = torch.cat([y[..., 1:], y[..., :1] + period], dim=-1)
    before, after = (across - y).abs(), (across - following).abs()
    largest = torch.maximum(before.amax(-1, keepdim=True), after.amax(-1, keepdim=True))
    largest = torch.where(largest > 0, largest, torch.ones_like(largest))
    return ((before / largest) ** p - (after / largest) ** p).sum(-1, keepdim=True) >= 0


def _quantile(points: Tensor, ends: Tensor, levels: Tensor, period: float) -> Tensor:
    """The quantile function, continued beyond (0, 1] by whole turns."""
    laps = levels.ceil() - 1
    index = torch.searchsorted(ends, (levels - laps).contiguous()).clamp(max=points.shape[-1] - 1)
    return points.gather(-1, index) + period * laps


def _meeting(ends_x: Tensor, ends_y: Tensor, turn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The steps of x and of y whose ends are nearest after a turn, and the whole turns between them."""
    levels = ends_y + turn
    laps = levels.ceil() - 1
    within = (levels - laps).contiguous()
    above = torch.searchsorted(ends_x, within).clamp(max=ends_x.shape[-1] - 1)
    # Below the first step of x ends the last one, a lap before.
    below = above - 1
    end_below = torch.where(below < 0, torch.zeros_like(within), ends_x.gather(-1, below.clamp(min=0)))
    to_above, to_below = (ends_x.gather(-1, above) - within).abs(), (within - end_below).abs()
    j = torch.minimum(to_above, to_below).argmin(-1, keepdim=True)
    take_above = (to_above <= to_below).gather(-1, j)
    i = torch.where(take_above, above.gather(-1, j), below.gather(-1, j))
    lap = laps.gather(-1, j).long()
    wrapped = i < 0
    return torch.where(wrapped, i + ends_x.shape[-1], i), j, torch.where(wrapped, lap - 1, lap)
