"""Fully connected layers, as the families of networks that have them share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from gancore.errors import IncompatibleChoiceError

if TYPE_CHECKING:
    from gancore.networks._interface import Norm

__all__ = ["is_image", "leaky_layers", "linear"]


def is_image(shape: tuple[int, ...], family: str) -> bool:
    """Whether samples of a shape are images (c, h, w) rather than points (d,); other shapes are refused."""
    if len(shape) not in (1, 3):
        raise IncompatibleChoiceError(f"networks {family} make points (d,) or images (c, h, w), not shape {shape}")
    return len(shape) == 3


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer with He's initialisation and no offset to begin with."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def leaky_layers(inputs: int, width: int, depth: int, norm: Norm) -> list[nn.Module]:
    """Hidden layers with leaky ReLU of slope 0.2, normalised; "spectral" is applied to whole networks elsewhere."""
    layers: list[nn.Module] = []
    for size in (inputs, *[width] * (depth - 1)):
        layers += [linear(size, width), *_norm(norm, width), nn.LeakyReLU(0.2, inplace=True)]
    return layers


def _norm(norm: Norm, width: int) -> list[nn.Module]:
    if norm in ("none", "spectral"):
        return []
    return [nn.LayerNorm(width) if norm == "layer" else nn.BatchNorm1d(width)]
