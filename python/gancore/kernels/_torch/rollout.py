"""Roll-outs in torch: the laws of the compiled kernel, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gancore.errors import DomainError
from gancore.kernels._torch._philox import fine_uniforms

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["sample_categorical"]

_TOKEN_STREAM = 4


def sample_categorical(
    logits: Tensor, uniforms: Tensor | None, *, law: tuple[float, int | None], counter: tuple[int, int, int]
) -> Tensor:
    """Answer as the compiled kernel does, up to rounding."""
    rows = logits.reshape(-1, logits.shape[-1])
    if uniforms is None:
        drawn = fine_uniforms(len(rows), block=0, stream=_TOKEN_STREAM, counter=counter, device=logits.device)
    else:
        drawn = uniforms.reshape(-1)
        if not bool(((drawn >= 0) & (drawn < 1)).all()):
            raise DomainError("`uniforms` must be at least 0 and below 1; got another number")
    return invert(rows, drawn, law).reshape(logits.shape[:-1])


def invert(rows: Tensor, uniforms: Tensor, law: tuple[float, int | None]) -> Tensor:
    """Tokens of rows of logits at uniform numbers."""
    temperature, top_k = law
    top = rows.amax(-1, keepdim=True)
    if not bool(top.isfinite().all()):
        row = int((~top[:, 0].isfinite()).nonzero()[0, 0])
        got = {math.inf: "inf", -math.inf: "only -inf"}.get(top[row].item(), "nan")
        raise DomainError(f"`logits` must be finite or -inf, and not all -inf; got {got} in row {row}")
    if top_k is not None and top_k < rows.shape[-1]:
        least = rows.topk(top_k, dim=-1).values[:, -1:]
        rows = rows.masked_fill(rows < least, -math.inf)
    mass = ((rows - top).double() / temperature).exp().cumsum(-1)
    total = mass[:, -1:].contiguous()
    # Rounding may lift u total to the total itself; then the token is the last with mass.
    found = torch.searchsorted(mass, uniforms[:, None] * total, right=True)
    return torch.minimum(found, torch.searchsorted(mass, total))[:, 0]
