"""The Fréchet distance in torch: the algorithm of the compiled kernel for tensors on a CUDA device."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from gancore.errors import BackendError, DomainError, NotPositiveDefiniteError, ShapeError

__all__ = ["frechet_distance", "trace_sqrt_product"]

_ASYMMETRY = 1e-8
_SAFELY_DEFINITE = 1e-10


def trace_sqrt_product(a: Tensor, b: Tensor) -> Tensor:
    """Trace of the square root of a product of positive semi-definite matrices."""
    for name, matrix in (("a", a), ("b", b)):
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
            raise ShapeError(f"`{name}` must have shape (d, d); got {tuple(matrix.shape)}")
    if a.shape != b.shape:
        raise ShapeError(f"`b` must have shape {tuple(a.shape)}, as `a` has; got {tuple(b.shape)}")
    if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
        raise BackendError("the Fréchet distance has no gradient here; detach its arguments or use torch.no_grad()")
    a, b = _symmetric("a", a), _symmetric("b", b)
    (left, failed_a), (right, failed_b) = torch.linalg.cholesky_ex(a), torch.linalg.cholesky_ex(b)
    if not (failed_a or failed_b) and _pivot_ratio(left) * _pivot_ratio(right) >= _SAFELY_DEFINITE:
        eigenvalues: Tensor = torch.linalg.eigvalsh(left.T @ b @ left)
        return eigenvalues.clamp(min=0).sqrt().sum()
    singular: Tensor = torch.linalg.svdvals(_factor("a", a).T @ _factor("b", b))
    return singular.sum()


def frechet_distance(real_mean: Tensor, real_covariance: Tensor, fake_mean: Tensor, fake_covariance: Tensor) -> Tensor:
    """Squared Fréchet distance of Gaussians."""
    for name, mean, covariance in (("real", real_mean, real_covariance), ("fake", fake_mean, fake_covariance)):
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            shapes = f"{tuple(mean.shape)} and {tuple(covariance.shape)}"
            raise ShapeError(f"`{name}` must have a mean (d,) and a covariance (d, d); got {shapes}")
        if not mean.isfinite().all():
            raise DomainError(f"`{name}` must have a finite mean; got nan or inf")
    root = trace_sqrt_product(real_covariance, fake_covariance)
    traces = real_covariance.trace() + fake_covariance.trace()
    apart = (real_mean - fake_mean).square().sum()
    return (apart + (traces - 2 * root)).clamp(min=0)


def _symmetric(name: str, matrix: Tensor) -> Tensor:
    if not matrix.isfinite().all():
        raise DomainError(f"`{name}` must have finite entries; got nan or inf")
    if (matrix - matrix.T).abs().max() > _ASYMMETRY * matrix.diagonal().max().clamp(min=0):
        raise DomainError(f"`{name}` must be symmetric")
    return 0.5 * (matrix + matrix.T)


def _pivot_ratio(lower: Tensor) -> float:
    pivots = lower.diagonal().square()
    return float(pivots.min() / pivots.max())


def _factor(name: str, matrix: Tensor) -> Tensor:
    # Eigenvectors, scaled: torch has no pivoted Cholesky. Directions of rounding size are left out, as the kernel does.
    values, vectors = cast("tuple[Tensor, Tensor]", torch.linalg.eigh(matrix))
    rounding = len(matrix) * torch.finfo(matrix.dtype).eps * values.abs().max()
    if values.min() < -10 * rounding:
        raise NotPositiveDefiniteError(
            f"`{name}` must be positive semi-definite; got the eigenvalue {values.min().item():e}"
        )
    kept = values > rounding
    return vectors[:, kept] * values[kept].sqrt()
