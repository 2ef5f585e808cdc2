"""Where the numbers of a tensor lie in memory.

Fused optimizers walk through parameter, gradient and moments side by side, and take for granted that all of them lie in
the same order: where one does not, the step is wrong, and nothing says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["laid_out_as", "with_channels_last"]


def laid_out_as(parameter: Tensor, values: Tensor) -> Tensor:
    """The values in the order in memory of a parameter of the same shape."""
    if values.shape != parameter.shape or values.stride() == parameter.stride():
        return values
    return torch.empty_like(parameter, dtype=values.dtype).copy_(values)


def with_channels_last(network: nn.Module) -> nn.Module:
    """The network, its convolutions' weights with the channels last, as they are computed fastest; values stay."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
