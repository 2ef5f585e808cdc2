"""The Fréchet distance in torch: the factors of the compiled kernel, on any device, with gradients at any rank."""

from __future__ import annotations

import math
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from gancore.errors import ConvergenceError, DomainError, NotPositiveDefiniteError, ShapeError

__all__ = ["frechet_distance", "frechet_distance_from_features", "sqrtm_psd", "trace_sqrt_product"]

Report: TypeAlias = "tuple[Tensor, str, int, int]"
"""Value, the way of the trace, rank of the first matrix and of the second."""

_EPS = torch.finfo(torch.float64).eps
_UNITS = 16
_SMALL = 16
_CLIPPED = 1e-10
_ACCURACY = 1e-11
_NOISE = 0.5


def trace_sqrt_product(a: Tensor, b: Tensor, *, rounding: float) -> Report:
    """Trace of the root of a product of positive semi-definite matrices."""
    for name, matrix in (("a", a), ("b", b)):
        _check_square(name, matrix)
    if a.shape != b.shape:
        raise ShapeError(f"`b` must have shape {tuple(a.shape)}, as `a` has; got {tuple(b.shape)}")
    return _root(_symmetric("a", a, rounding), _symmetric("b", b, rounding), ("a", "b"), rounding)


def sqrtm_psd(a: Tensor, *, rounding: float) -> Tensor:
    """Root of a positive semi-definite matrix."""
    _check_square("a", a)
    a = _symmetric("a", a, rounding)
    root: Tensor = _MatrixRoot.apply(a, _factor("a", a.detach(), rounding)[0])
    return root


def frechet_distance(
    real_mean: Tensor, real_covariance: Tensor, fake_mean: Tensor, fake_covariance: Tensor, *, rounding: float
) -> Report:
    """Squared Fréchet distance of Gaussians."""
    for name, mean, covariance in (("real", real_mean, real_covariance), ("fake", fake_mean, fake_covariance)):
        _check_square(name, covariance)
        if mean.ndim != 1 or len(mean) != len(covariance):
            shapes = f"{tuple(mean.shape)} and {tuple(covariance.shape)}"
            raise ShapeError(f"`{name}` must have a mean (d,) and a covariance (d, d); got {shapes}")
        if not mean.isfinite().all():
            raise DomainError(f"`{name}` must have a finite mean; got nan or inf")
    if real_mean.shape != fake_mean.shape:
        raise ShapeError(f"`fake` must have a mean {tuple(real_mean.shape)}; got {tuple(fake_mean.shape)}")
    real = _symmetric("real", real_covariance, rounding)
    fake = _symmetric("fake", fake_covariance, rounding)
    root, way, rank_x, rank_y = _root(real, fake, ("real", "fake"), rounding)
    apart = (real_mean.double() - fake_mean.double()).square().sum()
    slack = max(_CLIPPED, _UNITS * max(len(real), _SMALL) * rounding)
    return (_assembled(apart, real.trace() + fake.trace(), root, slack), way, rank_x, rank_y)


def frechet_distance_from_features(x: Tensor, y: Tensor) -> Report:
    """Squared Fréchet distance of the Gaussians that fit two sets of samples."""
    for name, rows in (("x", x), ("y", y)):
        if rows.ndim != 2 or not rows.shape[1] or rows.shape[1] != x.shape[1]:
            raise ShapeError(f"`{name}` must have shape (n, d), the same d for both; got {tuple(rows.shape)}")
        if len(rows) < 2:
            raise DomainError(f"`{name}` must have at least 2 rows for a covariance; got {len(rows)}")
        if not rows.isfinite().all():
            row, column = (~rows.isfinite()).nonzero()[0].tolist()
            value = rows[row, column].item()
            raise DomainError(f"`{name}` must be finite; got {value} in row {row}, column {column}")
    (mean_x, left), (mean_y, right) = (_centred(rows) for rows in (x, y))
    dim = x.shape[1]
    root, way, rank_x, rank_y = _root(_side(left), _side(right), ("x", "y"), _EPS)
    traces = left.square().sum() + right.square().sum()
    slack = max(_CLIPPED, _UNITS * max(dim, _SMALL) * _EPS)
    return (_assembled((mean_x - mean_y).square().sum(), traces, root, slack), way, rank_x, rank_y)


def _centred(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and centred rows over (n - 1)^(1/2)."""
    rows = features.double()
    mean = rows.mean(0)
    return mean, (rows - mean) / (len(rows) - 1) ** 0.5


def _side(rows: Tensor) -> Tensor:
    """Few rows, transposed, as a factor that is not square; or else the covariance."""
    return rows.T @ rows if len(rows) >= rows.shape[1] else rows.T


def _assembled(apart: Tensor, traces: Tensor, root: Tensor, slack: float) -> Tensor:
    value = apart + (traces - 2 * root)
    if not value >= -slack * traces:
        raise ConvergenceError(
            f"the Fréchet distance did not converge: a squared distance of {value.item()} for traces of {traces.item()}"
        )
    return value.clamp(min=0)


def _root(a: Tensor, b: Tensor, names: tuple[str, str], rounding: float) -> Report:
    """Trace of the root of the product of two sides: symmetric matrices, or factors with fewer columns than rows.

    By the kernel's rule: eigenvalues where both matrices have full rank and the product of the eigenvalues is that of
    the determinants, else singular values.
    """
    (left, full), (right, also_full) = (
        (side.detach(), False) if side.shape[0] != side.shape[1] else _factor(name, side.detach(), rounding)
        for name, side in zip(names, (a, b), strict=True)
    )
    ranks = left.shape[1], right.shape[1]
    if full and also_full:
        value = cast("Tensor", _SumOfRoots.apply(a, b, left))
        log_product = 2 * (left.diagonal().log().sum() + right.diagonal().log().sum())
        if _is_accurate(value.detach(), log_product):
            return value[0], "eigenvalues", *ranks
    return cast("Tensor", _NuclearNorm.apply(a, b, left, right)), "singular values", *ranks


def _is_accurate(found: Tensor, log_product: Tensor) -> bool:
    """Whether a sum of roots is as accurate as the kernel asks for, by sums over the eigenvalues that it is of."""
    value, least, logarithms, share = found
    shift = (logarithms - log_product).abs()
    return bool((least > 0) & (shift <= _NOISE) & (0.5 * shift * least.sqrt() * share <= _ACCURACY * value))


class _SumOfRoots(torch.autograd.Function):
    r"""Sum of the roots of the eigenvalues s^2 of K^T B K = Q S^2 Q^T, A = K K^T, and what tells its accuracy.

    The gradient by B is K Q S^{-1} (K Q)^T / 2, by A it is K^{-T} Q S (K^{-T} Q)^T / 2.
    """

    @staticmethod
    def forward(ctx: Any, _a: Tensor, b: Tensor, left: Tensor) -> Tensor:
        product = left.T @ b @ left
        if any(ctx.needs_input_grad):
            squares, q = torch.linalg.eigh(product)
            ctx.save_for_backward(left, q, squares)
        else:
            squares = torch.linalg.eigvalsh(product)
        part = squares[0] / squares
        share = (part.sum() / part.square().sum()).sqrt()
        return torch.stack([squares.sqrt().sum(), squares[0], squares.log().sum(), share])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        left, q, squares = ctx.saved_tensors
        roots = squares.sqrt()
        by_a = by_b = None
        if ctx.needs_input_grad[0]:
            theirs = torch.linalg.solve_triangular(left.T, q, upper=True)
            by_a = 0.5 * grad[0] * (theirs * roots) @ theirs.T
        if ctx.needs_input_grad[1]:
            theirs = left @ q
            by_b = 0.5 * grad[0] * (theirs / roots) @ theirs.T
        return by_a, by_b, None


class _NuclearNorm(torch.autograd.Function):
    r"""Nuclear norm of K^T L = U S V^T, with its gradient of least norm by the sides that K and L are factors of.

    By a factor K it is L V U^T, by a matrix A = K K^T it is (L V) S^+ (L V)^T / 2; singular values of rounding size
    are left out of both.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, left: Tensor, right: Tensor) -> Tensor:
        u, values, vh = torch.linalg.svd(left.T @ right, full_matrices=False)
        largest = torch.linalg.matrix_norm(left) * torch.linalg.matrix_norm(right)
        kept = values > max(left.shape) * _EPS * largest
        ctx.square = a.shape[0] == a.shape[1], b.shape[0] == b.shape[1]
        ctx.save_for_backward(left @ u[:, kept], right @ vh[kept].T, u[:, kept], vh[kept].T, values[kept])
        total: Tensor = values.sum()
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        left_u, right_v, u, v, values = ctx.saved_tensors
        by_a, by_b = (
            0.5 * grad * (theirs / values) @ theirs.T if square else grad * theirs @ own.T
            for square, theirs, own in zip(ctx.square, (right_v, left_u), (u, v), strict=True)
        )
        return by_a, by_b, None, None


class _MatrixRoot(torch.autograd.Function):
    """U diag(s) U^T for the left singular vectors U and values s of a factor, with its gradient of least norm."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, factor: Tensor) -> Tensor:
        u, values, _ = torch.linalg.svd(factor, full_matrices=True)
        roots = values.new_zeros(len(a))
        roots[: len(values)] = values
        ctx.save_for_backward(u, roots)
        root: Tensor = (u * roots) @ u.T
        return root

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        u, roots = ctx.saved_tensors
        sums = roots[:, None] + roots
        inner = torch.where(sums > 0, (u.T @ (0.5 * (grad + grad.T)) @ u) / torch.where(sums > 0, sums, 1.0), 0.0)
        return u @ inner @ u.T, None


def _check_square(name: str, matrix: Tensor) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ShapeError(f"`{name}` must have shape (d, d); got {tuple(matrix.shape)}")


def _slack(matrix: Tensor, rounding: float) -> Tensor:
    """How far a matrix may be from symmetric and positive semi-definite."""
    largest: Tensor = matrix.diagonal().abs().max().detach()
    return _UNITS * max(len(matrix), _SMALL) * rounding * largest


def _symmetric(name: str, matrix: Tensor, rounding: float) -> Tensor:
    matrix = matrix.double()
    if not matrix.isfinite().all():
        row, column = (~matrix.isfinite()).nonzero()[0].tolist()
        raise DomainError(f"`{name}` must be finite; got {matrix[row, column].item()} at ({row}, {column})")
    slack = _slack(matrix, rounding)
    apart = (matrix - matrix.T).abs()
    if (apart > slack).any():
        row, column = (apart > slack).nonzero()[0].tolist()
        raise DomainError(
            f"`{name}` must be symmetric; got {matrix[row, column].item()} at ({row}, {column}) and "
            f"{matrix[column, row].item()} at ({column}, {row})"
        )
    return 0.5 * (matrix + matrix.T)


def _factor(name: str, matrix: Tensor, rounding: float) -> tuple[Tensor, bool]:
    """Cholesky's factor where it is safe, or else one of as many columns as the numerical rank; whether it is full."""
    noise = max(len(matrix), _SMALL) * _EPS
    lower, failed = torch.linalg.cholesky_ex(matrix)
    if not failed and _growth(lower, matrix.diagonal().sqrt()) * 4 * noise <= 1:
        return cast("Tensor", lower), True
    # Eigenvectors, scaled: torch has no pivoted Cholesky. Directions of rounding size are left out, as the kernel does.
    spectrum, vectors = cast("tuple[Tensor, Tensor]", torch.linalg.eigh(matrix))
    if spectrum[0] < -_slack(matrix, rounding):
        raise NotPositiveDefiniteError(
            f"`{name}` must be positive semi-definite; got the eigenvalue {spectrum[0].item():e}"
        )
    kept = spectrum > noise * matrix.diagonal().max()
    return vectors[:, kept] * spectrum[kept].sqrt(), False


def _growth(lower: Tensor, roots: Tensor) -> float:
    """Norm of the inverse of the matrix scaled to a diagonal of ones, from below: inverse iteration, as the kernel."""
    at = torch.arange(4 * len(roots), dtype=torch.float64, device=lower.device)
    x = (((at * (at // len(roots) + 3)).sin() + 0.1).reshape(4, -1)).T
    for _ in range(3):
        x = roots[:, None] * (x / torch.linalg.vector_norm(x, dim=0))
        x = torch.linalg.solve_triangular(lower, x, upper=False)
        x = roots[:, None] * torch.linalg.solve_triangular(lower.T, x, upper=True)
    growth = torch.linalg.vector_norm(x, dim=0).mean().item()
    return math.inf if math.isnan(growth) else float(growth)
