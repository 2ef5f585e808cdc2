"""Parzen windows in torch: the formula of the compiled kernel, on any device, with gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

__all__ = ["parzen_log_likelihood"]

_POINTS = 1024


def parzen_log_likelihood(samples: Tensor, points: Tensor, *, bandwidths: list[float]) -> Tensor:
    """Log-likelihood of each point under windows around the samples, for each bandwidth."""
    samples, points = _matrix("samples", samples), _matrix("points", points)
    if samples.shape[1] != points.shape[1]:
        raise ShapeError(f"`points` must have {samples.shape[1]} columns; got {points.shape[1]}")
    n, dim = samples.shape
    centre = samples.detach().mean(0)
    samples = samples - centre
    norms = samples.square().sum(1)
    blocks = []
    for block in torch.split(points - centre, _POINTS):
        squares = (block.square().sum(1, keepdim=True) + norms - 2 * block @ samples.T).clamp(min=0)
        blocks.append(torch.stack([torch.logsumexp(squares * (-0.5 / h / h), 1) for h in bandwidths]))
    constants = [math.log(n) + dim * (0.5 * math.log(2 * math.pi) + math.log(h)) for h in bandwidths]
    return torch.cat(blocks, 1) - torch.tensor(constants, dtype=torch.float64, device=points.device)[:, None]


def _matrix(name: str, values: Tensor) -> Tensor:
    if values.ndim != 2 or 0 in values.shape:
        raise ShapeError(f"`{name}` must have shape (n, d), with at least one of each; got {tuple(values.shape)}")
    values = values.double()
    if not values.isfinite().all():
        row, column = (~values.isfinite()).nonzero()[0].tolist()
        raise DomainError(
            f"`{name}` must have finite numbers; got {values[row, column].item()} at row {row}, column {column}"
        )
    return values
