"""Philox4x32-10 in integer tensors: the compiled kernel's draws, on any device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["fine_uniforms", "normals", "uniforms"]

_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)


def normals(n: int, dim: int, *, stream: int, counter: tuple[int, int, int], device: torch.device) -> Tensor:
    """Standard normals of shape (n, dim), float64."""
    first, second, third, fourth = _words(n, math.ceil(dim / 4), stream=stream, counter=counter, device=device)
    pairs = [_box_muller(first, second), _box_muller(third, fourth)]
    return torch.stack([normal for pair in pairs for normal in pair], dim=-1).reshape(n, -1)[:, :dim]


def uniforms(n: int, *, stream: int, counter: tuple[int, int, int], device: torch.device) -> Tensor:
    """Uniform numbers in (0, 1) of shape (n,), float64."""
    return _open_unit(_words(n, 1, stream=stream, counter=counter, device=device)[0][:, 0])


def fine_uniforms(n: int, *, block: int, stream: int, counter: tuple[int, int, int], device: torch.device) -> Tensor:
    """Uniform numbers in (0, 1) of shape (n,), float64: odd multiples of 2**-53."""
    high, low, _, _ = _words(n, 1, stream=stream, counter=counter, device=device, first_block=block)
    return (((high << 20) | (low >> 12))[:, 0].double() + 0.5) * 2.0**-52


def _words(
    n: int, blocks: int, *, stream: int, counter: tuple[int, int, int], device: torch.device, first_block: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    seed, step, first_chain = counter
    block = (torch.arange(blocks, device=device) + first_block).expand(n, blocks)
    lane = (torch.arange(n, device=device) + first_chain)[:, None].expand(n, blocks)
    a, b = block, lane & _LOW
    c, d = torch.full_like(a, step & _LOW), torch.full_like(a, (step >> 32) | (stream << 24))
    keys = [seed & _LOW, seed >> 32]
    for _ in range(10):
        # Products overflow 63 bits and wrap; after the mask their halves are those of the unsigned product.
        low, high = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b = ((high >> 32) & _LOW) ^ b ^ keys[0], high & _LOW
        c, d = ((low >> 32) & _LOW) ^ d ^ keys[1], low & _LOW
        keys = [(key + weyl) & _LOW for key, weyl in zip(keys, _WEYL, strict=True)]
    return a, b, c, d


def _open_unit(word: Tensor) -> Tensor:
    return (word.double() + 0.5) * 2.0**-32


def _box_muller(radius: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    r = (-2.0 * _open_unit(radius).log()).sqrt()
    turn = 2.0 * math.pi * _open_unit(angle)
    return r * turn.cos(), r * turn.sin()
