"""The shape of what a critic returns."""

from __future__ import annotations

from torch import nn

__all__ = ["last"]


def last(outputs: int) -> list[nn.Module]:
    """What follows a critic's last linear layer: a single output loses its axis."""
    return [nn.Flatten(0)] if outputs == 1 else []
