"""What lets a critic compare the samples of a batch: a generator that makes the same thing twice is seen."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from gancore.errors import DomainError, ShapeError

__all__ = ["Minibatch", "check_minibatch", "minibatch_layer"]

Minibatch = Literal["none", "discrimination", "std"]
"""Features of the whole batch that each sample's features are joined with: none, distances, or their spread."""

_KERNELS = 16
_DIMS = 8


class _Discrimination(nn.Module):
    r"""Closeness to the other samples in learned projections, joined to the features.

    .. math::
        o_b(i) = \sum_{j \ne i} \exp\bigl(-\lVert M_{ib} - M_{jb} \rVert_1\bigr), \qquad M_i = f(x_i) T

    T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.2. O(n^2 B C).
    """

    def __init__(self, features: int, kernels: int = _KERNELS, dims: int = _DIMS) -> None:
        super().__init__()
        self.projection = nn.Parameter(torch.empty(features, kernels, dims))
        nn.init.normal_(self.projection, std=features**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """(n, features) to (n, features + kernels)."""
        _require_several(features)
        projected = torch.einsum("na,abc->nbc", features, self.projection)
        apart = (projected.unsqueeze(1) - projected.unsqueeze(0)).abs().sum(-1)
        itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
        close = torch.exp(-apart).masked_fill(itself.unsqueeze(-1), 0.0).sum(1)
        return torch.cat((features, close), dim=1)


class _Std(nn.Module):
    """The standard deviation of each feature over the batch, averaged over features, as one feature more.

    T. Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR 2018,
    section 3.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(n, features) to (n, features + 1)."""
        _require_several(features)
        variance = features.var(dim=0, unbiased=False)
        # The root has no slope at zero, where all samples agree.
        spread = (variance + 1e-8).sqrt().mean()
        return torch.cat((features, spread.expand(len(features), 1)), dim=1)


def minibatch_layer(kind: Minibatch, features: int) -> tuple[list[nn.Module], int]:
    """The layer, if any, for flat features, and how many features leave it."""
    if kind == "discrimination":
        return [_Discrimination(features)], features + _KERNELS
    return ([_Std()], features + 1) if kind == "std" else ([], features)


def check_minibatch(kind: str) -> None:
    """Require the name of a minibatch feature.

    Raises
    ------
    DomainError
        If there is none of that name.
    """
    if kind not in get_args(Minibatch):
        raise DomainError(f"critic_minibatch: expected {', '.join(get_args(Minibatch))}, got {kind!r}")


def _require_several(features: Tensor) -> None:
    if len(features) < 2:
        raise ShapeError(f"batch: minibatch features compare samples and need at least 2, got {len(features)}")
