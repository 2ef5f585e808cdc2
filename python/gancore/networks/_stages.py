"""How convolutional networks go from a small map of many channels to an image: by which strides and widths."""

from __future__ import annotations

from gancore.errors import IncompatibleChoiceError

__all__ = ["Stride", "stages", "widths"]

Stride = tuple[int, int]

_WIDEST = 8
"""Channels grow with every halving of the image up to this many times the width."""


def stages(shape: tuple[int, ...], family: str) -> tuple[int, tuple[int, int], list[Stride]]:
    """Channels, smallest resolution, and the strides from there up to the image: at least one stage.

    Each side is halved while it is even and at least four are left; sides may differ.
    """
    if len(shape) != 3 or any(side < 4 or side % 4 for side in shape[1:]):
        hint = "; networks mlp make points" if len(shape) == 1 else ""
        raise IncompatibleChoiceError(
            f"networks {family} make images (c, h, w) whose sides are multiples of 4, not shape {shape}{hint}"
        )
    channels, height, width = shape
    strides: list[Stride] = []
    while True:
        stride = _halving(height), _halving(width)
        if stride == (1, 1) and strides:
            return channels, (height, width), strides[::-1]
        strides.append(stride)
        height, width = height // stride[0], width // stride[1]


def widths(width: int, count: int) -> list[int]:
    """Channels of the hidden layers, from the smallest resolution to the largest."""
    return [width * min(2**stage, _WIDEST) for stage in reversed(range(count))]


def _halving(side: int) -> int:
    return 2 if side % 2 == 0 and side >= 8 else 1
