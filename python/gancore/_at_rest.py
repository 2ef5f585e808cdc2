"""Networks as they must be while they are only looked through."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["at_rest", "device_of"]


@contextlib.contextmanager
def at_rest(*networks: object) -> Iterator[None]:
    """Modules in evaluation mode and their parameters without gradients, all restored at the end.

    Evaluation mode keeps batch statistics and the vectors of spectral normalisation as they are; frozen
    parameters keep their gradients clean and save the backward pass their share (a third to a half of it).
    """
    modules = [module for network in networks if isinstance(network, nn.Module) for module in network.modules()]
    parameters = {parameter for module in modules for parameter in module.parameters(recurse=False)}
    training = [(module, module.training) for module in modules]
    required = [(parameter, parameter.requires_grad) for parameter in parameters]
    try:
        for module in modules:
            module.training = False
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, mode in training:
            module.training = mode
        for parameter, flag in required:
            parameter.requires_grad_(flag)


def device_of(network: object) -> torch.device:
    """Where a module's first parameter or buffer lies; the CPU for one without, and for other callables."""
    if isinstance(network, nn.Module):
        for tensor in (*network.parameters(), *network.buffers()):
            return tensor.device
    return torch.device("cpu")
