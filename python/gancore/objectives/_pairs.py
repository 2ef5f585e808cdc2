"""Distances between all pairs of feature vectors, and averages over pairs of distinct ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["distances", "distinct_mean", "squared_distances"]


def distances(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distances (n, m) of the rows of (n, k) and (m, k), without cancellation; slope zero at zero."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances (n, m) of the rows of (n, k) and (m, k), without cancellation."""
    return (x.unsqueeze(1) - y.unsqueeze(0)).square().sum(-1)


def distinct_mean(values: Tensor) -> Tensor:
    """The mean of a square matrix of pair values without its diagonal: unbiased over independent pairs."""
    n = len(values)
    if n < 2:
        raise ShapeError(f"batch: expected at least 2 samples to compare with each other, got {n}")
    return (values.sum() - values.diagonal().sum()) / (n * (n - 1))
