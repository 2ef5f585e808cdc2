"""Roll-outs: every prefix of every sequence continued many times, from cached states, all prefixes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.networks._lstm import draw, step
from gancore.text.vocabulary import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["rollout"]

_LOGITS = 1 << 24
"""How many logits may be in memory at a time."""


@torch.no_grad()
def rollout(weights: Mapping[str, Tensor], tokens: Tensor, n: int, *, ends: bool, random: torch.Generator) -> Tensor:
    r"""Continue every prefix of sequences by a policy.

    .. math::
        Y^{(t, k)}_{1:T} = \bigl(y_{1:t},\; Y_{t+1:T} \sim G_\beta(\cdot \mid y_{1:t})\bigr),
        \qquad t = 1, \dots, T - 1,\; k = 1, \dots, n

    The states of all prefixes come from one pass; then the continuations of all prefixes advance together, so that the
    number of cell steps is that of the tokens drawn. What follows an end is padding.

    Parameters
    ----------
    weights : mapping of str to Tensor
        The state of an :class:`~gancore.networks._lstm.LSTMGenerator`: the policy.
    tokens : Tensor of shape (batch, length)
    n : int
        Continuations of each prefix.
    ends : bool
        Whether token 0 ends a sequence.
    random : torch.Generator
        On the device of the tokens.

    Returns
    -------
    Tensor of shape (length - 1, batch, n, length)
        int64; row t - 1 keeps the first t tokens.
    """
    batch, length = tokens.shape
    size = len(weights["head.bias"])
    at_once = max(1, _LOGITS // (max(length - 1, 1) * n * size))
    parts = [_continue(weights, part, n, ends=ends, random=random) for part in torch.split(tokens, at_once)]
    return torch.cat(parts, dim=1) if batch else tokens.new_empty(max(length - 1, 0), 0, n, length)


def _continue(weights: Mapping[str, Tensor], tokens: Tensor, n: int, *, ends: bool, random: torch.Generator) -> Tensor:
    batch, length = tokens.shape
    embedding = weights["embedding.weight"]
    found = tokens[None, :, None].repeat(length - 1, 1, n, 1)
    zeros = embedding.new_zeros(batch, weights["cell.weight_hh_l0"].shape[1])
    prefix = (zeros, zeros)
    _, prefix = step(weights, embedding[torch.full_like(tokens[:, 0], END)], prefix)
    active = [zeros[:0], zeros[:0]]
    for place in range(1, length):
        # The prefix that ends here joins those that are already being continued.
        _, prefix = step(weights, embedding[tokens[:, place - 1]], prefix)
        if place > 1:
            last = found[: place - 1, ..., place - 1].reshape(-1)
            _, (h, c) = step(weights, embedding[last], (active[0], active[1]))
            active = [h, c]
        active = [torch.cat((old, new.repeat_interleave(n, dim=0))) for old, new in zip(active, prefix, strict=True)]
        said = torch.nn.functional.linear(active[0], weights["head.weight"], weights["head.bias"])
        uniforms = torch.rand(len(said), generator=random, device=said.device, dtype=torch.float64)
        found[:place, ..., place] = draw(said, uniforms).view(place, batch, n)
    if ends:
        over = (found == END).cumsum(-1) > 0
        found = found.masked_fill(over, END)
    return found
