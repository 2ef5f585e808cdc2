"""An optimizer's step along gradients that were computed elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gancore.training.layout import laid_out_as

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor
    from torch.optim import Optimizer

__all__ = ["descend"]


def descend(optimizer: Optimizer, parameters: Iterable[Tensor], gradients: Iterable[Tensor]) -> None:
    """Step along the given gradients, and leave none behind."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = laid_out_as(parameter, gradient.detach())
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
