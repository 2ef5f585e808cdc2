"""How steep a critic is at each sample: what gradient penalties are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["gradient_norms", "squared_gradient_norms"]

_EPS = 1e-12
"""Under the root: the norm's own derivative is infinite at zero."""


def squared_gradient_norms(critic: nn.Module, points: Tensor) -> Tensor:
    """The squared norm of the critic's gradient over all coordinates of each sample: (n,), with a graph.

    One forward pass; the gradient of what is returned takes a double backward pass. A critic whose output on one
    sample depends on the others (batch normalisation) makes the result meaningless.
    """
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return gradient.flatten(1).square().sum(1)


def gradient_norms(critic: nn.Module, points: Tensor) -> Tensor:
    """The norm itself, differentiable at zero too: (n,), with a graph."""
    return (squared_gradient_norms(critic, points) + _EPS).sqrt()
