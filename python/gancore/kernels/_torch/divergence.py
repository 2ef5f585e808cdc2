"""Divergences in torch: the definitions of the compiled kernel, on any device, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

__all__ = ["jensen_shannon", "kl", "total_variation"]

_SUM_TOLERANCE = 1e-6


def kl(p: Tensor, q: Tensor, *, normalize: bool) -> Tensor:
    """Kullback-Leibler divergence over the last axis."""
    p, q = _masses(p, q, normalize=normalize)
    return _kl(p, q)


def jensen_shannon(p: Tensor, q: Tensor, *, normalize: bool) -> Tensor:
    """Jensen-Shannon divergence over the last axis."""
    p, q = _masses(p, q, normalize=normalize)
    mean = 0.5 * (p + q)
    return 0.5 * (_kl(p, mean) + _kl(q, mean))


def total_variation(p: Tensor, q: Tensor, *, normalize: bool) -> Tensor:
    """Total variation distance over the last axis."""
    p, q = _masses(p, q, normalize=normalize)
    return 0.5 * (p - q).abs().sum(-1)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    # p log(p/q) - p + q term by term, as the compiled kernel sums it. Where p is zero the logarithm is taken of one,
    # so that the gradient there is finite instead of nan.
    empty = p == 0
    ratio = torch.where(empty, torch.ones_like(p), p) / torch.where(empty, torch.ones_like(q), q)
    return (p * ratio.log() - p + q).sum(-1)


def _masses(p: Tensor, q: Tensor, *, normalize: bool) -> tuple[Tensor, Tensor]:
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ShapeError(f"`p` must have at least one mass on the last axis; got shape {tuple(p.shape)}")
    if p.shape != q.shape:
        raise ShapeError(f"`q` must have shape {tuple(p.shape)}, as `p` has; got {tuple(q.shape)}")
    return _distribution("p", p, normalize=normalize), _distribution("q", q, normalize=normalize)


def _distribution(name: str, masses: Tensor, *, normalize: bool) -> Tensor:
    masses = masses.double()
    wrong = ~((masses >= 0) & masses.isfinite())
    if wrong.any():
        *row, column = wrong.nonzero()[0].tolist()
        value = masses[wrong][0].item()
        raise DomainError(
            f"`{name}` must have finite masses >= 0 on the last axis; got {value} at row {row}, index {column}"
        )
    total = masses.sum(-1, keepdim=True)
    if (total == 0).any():
        raise DomainError(f"`{name}` must have positive total mass; got 0 in a row")
    if not normalize and ((total - 1).abs() > _SUM_TOLERANCE).any():
        worst = total.flatten()[(total - 1).abs().argmax()].item()
        raise DomainError(f"`{name}` must sum to 1 on the last axis (or pass normalize=True); got sum {worst} in a row")
    return masses / total
