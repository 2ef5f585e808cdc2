"""Exponential moving averages of networks: the copies that are sampled from and judged with."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

__all__ = ["EMA"]


class EMA:
    r"""A copy of a network whose parameters follow the original's with exponentially fading memory.

    .. math::
        \bar w_t = \beta_t \bar w_{t-1} + (1 - \beta_t)\, w_t, \qquad
        \beta_t = \min\bigl(\beta,\; (1 + t) / (10 + t)\bigr)

    The second bound lets the average forget the untrained weights early on. Buffers are copied, never averaged: a
    mean of running statistics or of singular vectors is neither. Averages of both players stand closer to the
    equilibrium that training circles about: the generator's samples are better, and the critic, which for a while
    favours whatever the generator has just neglected, reads closer to a density ratio.

    Parameters
    ----------
    network : Module
        What to follow; copied.
    decay : float
        :math:`\beta` in [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after training step `step` = 1, 2, ..."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, current in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(current, 1 - decay)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)
