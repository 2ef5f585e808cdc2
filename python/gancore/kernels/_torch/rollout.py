"""Roll-outs in torch: the laws of the compiled kernel, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gancore.errors import DomainError
from gancore.kernels._torch._philox import fine_uniforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["lstm_rollout", "sample_categorical", "token_table_conv"]

_TOKEN_STREAM = 4
_POSITION_BITS = 24


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


@torch.no_grad()
def lstm_rollout(
    weights: Sequence[Tensor], tokens: Tensor, *, law: tuple[float, int | None], plan: tuple[int, int, int]
) -> Tensor:
    """Answer as the compiled kernel does, up to rounding: a growing front of continuations advances at once."""
    embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b = weights
    n, start_token, seed = plan
    batch, length = tokens.shape
    _check_tokens("tokens", tokens, len(embedding))
    _check_tokens("start_token", tokens.new_tensor([[start_token]]), len(embedding))
    inputs = torch.nn.functional.linear(embedding, w_ih, b_ih + b_hh)

    def step(read: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (inputs[read] + h @ w_hh.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    rows = tokens[None, :, None].expand(length - 1, batch, n, length).contiguous()
    h = c = head_w.new_zeros(batch, w_hh.shape[1])
    h, c = step(tokens.new_full((batch,), start_token), h, c)
    front: list[tuple[Tensor, Tensor]] = []
    for position in range(1, length):
        if front:
            read = rows[: position - 1, :, :, position - 1].reshape(-1)
            states = step(read, torch.cat([state for state, _ in front]), torch.cat([cell for _, cell in front]))
            front = [states]
        h, c = step(tokens[:, position - 1], h, c)
        front.append((h.repeat_interleave(n, 0), c.repeat_interleave(n, 0)))
        logits = torch.cat([state for state, _ in front]) @ head_w.T + head_b
        uniforms = _front_uniforms(position, batch, n, seed=seed, device=tokens.device)
        rows[:position, :, :, position] = invert(logits, uniforms, law).reshape(position, batch, n)
    return rows


def token_table_conv(embedding: Tensor, filters: Sequence[tuple[int, Tensor, Tensor]], tokens: Tensor) -> Tensor:
    """Answer as the compiled kernel does, by torch's convolutions."""
    _check_tokens("tokens", tokens, len(embedding))
    widest = max(width for width, _, _ in filters)
    if widest > tokens.shape[1]:
        raise DomainError(f"`filters` must have widths from 1 to the {tokens.shape[1]} tokens of a row; got {widest}")
    embedded = embedding.detach()[tokens].transpose(1, 2)
    maps = [
        torch.nn.functional.conv1d(embedded, weight.detach(), bias.detach()).amax(-1).relu()
        for _, weight, bias in filters
    ]
    return torch.cat(maps, 1)


def _front_uniforms(position: int, batch: int, n: int, *, seed: int, device: torch.device) -> Tensor:
    """Numbers for the continuations of 1, ..., `position` tokens at a position, prefix by prefix."""
    parts = [
        fine_uniforms(batch, block=known, stream=_TOKEN_STREAM, counter=(seed, step, 0), device=device)
        for known in range(1, position + 1)
        for step in (position | (i << _POSITION_BITS) for i in range(n))
    ]
    return torch.stack(parts).reshape(position, n, batch).transpose(1, 2).reshape(-1)


def _check_tokens(name: str, tokens: Tensor, vocabulary: int) -> None:
    strange = (tokens < 0) | (tokens >= vocabulary)
    if bool(strange.any()):
        row, column = strange.nonzero()[0].tolist()
        got = int(tokens[row, column])
        raise DomainError(
            f"`{name}` must be at least 0 and below {vocabulary}, the size of the vocabulary; "
            f"got {got} in row {row}, index {column}"
        )
