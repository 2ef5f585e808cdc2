"""How steep a critic is at each sample: what gradient penalties are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["root", "squared_gradient_norms"]

_EPS = 1e-12
"""Under the root: the norm's own derivative is infinite at zero."""


def squared_gradient_norms(critic: nn.Module, points: Tensor) -> Tensor:
    """The squared norm of the critic's gradient over all coordinates of each sample: (n,), with a graph.

    In the precision of the points, whatever autocast says. One forward pass; the gradient of what is returned takes a
    double backward pass. A critic whose output on one sample depends on the others (batch normalisation) makes the
    result meaningless.
    """

    def total(x: Tensor) -> Tensor:
        output: Tensor = critic(x).sum()
        return output

    with torch.autocast(points.device.type, enabled=False):
        # As a function of functions, for torch.compile cannot follow autograd.grad through a second derivative.
        gradient: Tensor = torch.func.grad(total)(points.detach())
        return gradient.flatten(1).square().sum(1)


def root(squared_norms: Tensor) -> Tensor:
    """The norms themselves, differentiable at zero too."""
    return (squared_norms + _EPS).sqrt()
