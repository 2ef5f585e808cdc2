"""A convolutional critic of sequences of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn

from gancore.kernels.rollout import token_table_conv
from gancore.networks._outputs import last

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["TextCNN"]

_DROPPED = 0.25
_TABLE_FROM = 8
"""Tokens to read, for each token id there is, from which sums of rows of a table beat torch's convolutions."""
_AT_ONCE = 1024
"""Sequences worked on at once where no gradient is recorded: more leave the cache, and take torch twice as long."""


@final
class TextCNN(nn.Module):
    """Embedding, convolutions of several widths with ReLU and maximum over time, a highway layer, dropout, a line.

    Without gradients, in float32 on the CPU, many tokens are convolved by a table of products, equal up to rounding.

    Parameters
    ----------
    size, length : int
        How many token ids there are, and how long sequences are; wider convolutions are left out.
    embedding : int
        Width of the embedding.
    maps : mapping of int to int
        Feature maps by width of the convolution.
    outputs : int
        How many numbers it gives.
    """

    def __init__(self, size: int, length: int, *, embedding: int, maps: Mapping[int, int], outputs: int) -> None:
        super().__init__()
        fitting = {width: count for width, count in maps.items() if width <= length} or {length: min(maps.values())}
        self.embedding = nn.Embedding(size, embedding)
        nn.init.uniform_(self.embedding.weight, -1.0, 1.0)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding, count, width) for width, count in fitting.items())
        features = sum(fitting.values())
        self.gate = nn.Linear(features, features)
        self.transform = nn.Linear(features, features)
        self.head = nn.Sequential(nn.Dropout(_DROPPED), nn.Linear(features, outputs), *last(outputs))

    def output_parameters(self) -> list[nn.Parameter]:
        """Weights and bias of the output layer."""
        return list(self.head.parameters())

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (n, length), or points on the simplex (n, length, size), to (n,) or (n, outputs)."""
        if torch.is_grad_enabled() or x.is_floating_point():
            return self._judged(self._convolved(x))
        return torch.cat([self._judged(part) for part in torch.split(self._features(x), _AT_ONCE)])

    def _judged(self, features: Tensor) -> Tensor:
        gate = self.gate(features).sigmoid()
        mixed = gate * self.transform(features).relu() + (1 - gate) * features
        judged: Tensor = self.head(mixed)
        return judged

    def _features(self, x: Tensor) -> Tensor:
        table = self.embedding.weight
        plain = table.device.type == "cpu" and table.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        if plain and x.numel() >= _TABLE_FROM * len(table):
            parts = [(conv.get_parameter("weight"), conv.get_parameter("bias")) for conv in self.convolutions]
            found: Tensor = token_table_conv(table, [(part.shape[-1], part, bias) for part, bias in parts], x)
            return found
        return torch.cat([self._convolved(part) for part in torch.split(x, _AT_ONCE)])

    def _convolved(self, x: Tensor) -> Tensor:
        embedded = x @ self.embedding.weight if x.is_floating_point() else self.embedding(x)
        columns = embedded.transpose(1, 2)
        return torch.cat([conv(columns).amax(-1).relu() for conv in self.convolutions], dim=1)
