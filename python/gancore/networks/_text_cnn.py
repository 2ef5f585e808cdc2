"""A convolutional critic of sequences of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn

from gancore.networks._outputs import last

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["TextCNN"]

_DROPPED = 0.25


@final
class TextCNN(nn.Module):
    """Embedding, convolutions of several widths with ReLU and maximum over time, a highway layer, dropout, a line.

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

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (n, length), or points on the simplex (n, length, size), to (n,) or (n, outputs)."""
        embedded = x @ self.embedding.weight if x.is_floating_point() else self.embedding(x)
        columns = embedded.transpose(1, 2)
        features = torch.cat([conv(columns).amax(-1).relu() for conv in self.convolutions], dim=1)
        gate = self.gate(features).sigmoid()
        mixed = gate * self.transform(features).relu() + (1 - gate) * features
        judged: Tensor = self.head(mixed)
        return judged
