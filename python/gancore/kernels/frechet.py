"""The Fréchet distance between Gaussians, exact for singular covariances too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from gancore.errors import DTypeError
from gancore.kernels._dispatch import call, is_tensor
from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = [
    "FrechetReport",
    "frechet_distance",
    "frechet_distance_from_features",
    "frechet_distance_report",
    "sqrtm_psd",
    "trace_sqrt_product",
    "trace_sqrt_product_report",
]

_ROUNDING = {name: float(np.finfo(name[:7]).eps) for name in ("float32", "float32 in float64", "float64")}
"""Relative precision by its name, coarsest first: so far from symmetric and positive may rounding go."""

Gaussian: TypeAlias = Union[FeatureMoments, "tuple[Array, Array]"]
"""What has a mean and a covariance: feature statistics, or the pair itself."""


@dataclass(frozen=True)
class FrechetReport:
    """A trace or a distance, and how it was computed.

    Parameters
    ----------
    value : float, or 0-d tensor if a gradient is recorded
        The trace, or the squared distance.
    way : str
        "eigenvalues" where both matrices are safely positive definite, else "singular values".
    rank_a, rank_b : int
        Numerical ranks of the two matrices: below d, a covariance is of too few samples, or has dead features.
    precision : str
        What the matrices were rounded to, which says how far from symmetric and positive they may be: "float64",
        "float32", or "float32 in float64" where the entries of a float64 matrix all are float32 numbers, as of a
        float32 file that was converted.

    Raises
    ------
    TypeError
        If a field is missing.

    Notes
    -----
    Higham, *Accuracy and Stability of Numerical Algorithms* (2002), section 10.3.2, on the numerical rank.

    Examples
    --------
    >>> trace_sqrt_product_report([[4.0, 0.0], [0.0, 0.0]], [[9.0, 0.0], [0.0, 1.0]]).rank_a
    1
    """

    value: Any
    way: str
    rank_a: int
    rank_b: int
    precision: str = "float64"


def trace_sqrt_product(a: Array, b: Array) -> Any:
    r"""Trace of the square root of a product of positive semi-definite matrices.

    .. math::
        \operatorname{tr} (A B)^{1/2} = \sum_i \sqrt{\lambda_i(K^\top B K)} = \lVert K^\top L \rVert_*,
        \qquad A = K K^\top, \; B = L L^\top

    Eigenvalues where both matrices, scaled to a diagonal of ones, have none below 4 d eps and the product of those
    computed is det A det B; singular values of rank-revealing factors where not. No complex number appears, and nothing
    is added to a diagonal.

    Parameters
    ----------
    a, b : array of shape (d, d)
        Symmetric and positive semi-definite up to rounding; singular ones too. NumPy arrays or torch tensors.

    Returns
    -------
    float
        A 0-d tensor if a gradient is recorded; where a matrix is singular, the gradient is that of least norm.

    Raises
    ------
    ShapeError
        If they are not square, or of different size.
    DomainError
        If an entry is nan or infinite, or a matrix is not symmetric.
    NotPositiveDefiniteError
        If a matrix has a negative eigenvalue beyond rounding.
    ConvergenceError
        If the eigenvalue iteration fails.

    Notes
    -----
    O(d^3). Relative error about 1e-14, and 2e-12 at a condition number of 1e12; symmetric to the last bit.
    Dowson and Landau, *The Fréchet distance between multivariate normal distributions* (1982), eq. 4.

    Examples
    --------
    >>> trace_sqrt_product([[4.0, 0.0], [0.0, 0.0]], [[9.0, 0.0], [0.0, 1.0]])
    6.0
    """
    return trace_sqrt_product_report(a, b).value


def trace_sqrt_product_report(a: Array, b: Array) -> FrechetReport:
    """:func:`trace_sqrt_product`, with the way that was taken and the ranks of both matrices.

    Parameters
    ----------
    a, b : array of shape (d, d)
        As :func:`trace_sqrt_product` takes them.

    Returns
    -------
    FrechetReport

    Raises
    ------
    ShapeError, DomainError, NotPositiveDefiniteError, ConvergenceError, BackendError
        As :func:`trace_sqrt_product`.

    Notes
    -----
    O(d^3). Dowson and Landau, *The Fréchet distance between multivariate normal distributions* (1982), eq. 4.

    Examples
    --------
    >>> trace_sqrt_product_report([[4.0, 0.0], [0.0, 0.0]], [[9.0, 0.0], [0.0, 1.0]])
    FrechetReport(value=6.0, way='eigenvalues', rank_a=1, rank_b=2, precision='float32 in float64')
    """
    precision = _precision((a, a), (b, b))
    settings = {"rounding": _ROUNDING[precision]}
    return _report(call("frechet", "trace_sqrt_product", a=_float64(a), b=_float64(b), settings=settings), precision)


def sqrtm_psd(a: Array) -> Any:
    r"""Square root of a positive semi-definite matrix.

    .. math::
        A^{1/2} = U \operatorname{diag}(s) U^\top, \qquad A = K K^\top, \; K = U \operatorname{diag}(s) V^\top

    From the singular values of a factor: roots of small eigenvalues keep the digits that the eigenvalues lose.

    Parameters
    ----------
    a : array of shape (d, d)
        Symmetric and positive semi-definite up to rounding; singular too. A NumPy array or a torch tensor.

    Returns
    -------
    array of shape (d, d), float64
        Differentiable for tensors; where the matrix is singular, the gradient is that of least norm.

    Raises
    ------
    ShapeError, DomainError, NotPositiveDefiniteError, ConvergenceError
        As :func:`trace_sqrt_product`.

    Notes
    -----
    O(d^3). Higham, *Functions of Matrices* (2008), section 6.2.

    Examples
    --------
    >>> sqrtm_psd([[4.0, 0.0], [0.0, 0.0]]).round(12).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    root = call("frechet", "sqrtm_psd", a=_float64(a), settings={"rounding": _ROUNDING[_precision((a, a))]})
    # A matrix of order one is still a matrix, which the common rule for results would make a number.
    return np.asarray(root).reshape(np.shape(a)) if isinstance(root, float) else root


def frechet_distance(real: Gaussian, fake: Gaussian) -> Any:
    r"""Squared Fréchet distance between Gaussians, the FID of their features.

    .. math::
        d^2 = \lVert \mu_1 - \mu_2 \rVert^2
        + \operatorname{tr}\bigl(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}\bigr)

    Parameters
    ----------
    real, fake : FeatureMoments, or pair of arrays of shapes (d,) and (d, d)
        Statistics, or mean and covariance. Symmetric in its arguments.

    Returns
    -------
    float
        Never negative; zero for equal Gaussians up to rounding. A 0-d tensor if a gradient is recorded.

    Raises
    ------
    ShapeError, DomainError, NotPositiveDefiniteError, ConvergenceError, BackendError
        As :func:`trace_sqrt_product`; `real` or `fake` is named.

    Notes
    -----
    O(d^3). Heusel et al., *GANs trained by a two time-scale update rule converge to a local Nash equilibrium* (2017),
    eq. 6.

    Examples
    --------
    >>> frechet_distance(([0.0], [[4.0]]), ([3.0], [[9.0]]))
    10.0
    """
    return frechet_distance_report(real, fake).value


def frechet_distance_report(real: Gaussian, fake: Gaussian) -> FrechetReport:
    """:func:`frechet_distance`, with the way that was taken and the ranks of both covariances.

    Parameters
    ----------
    real, fake : FeatureMoments, or pair of arrays of shapes (d,) and (d, d)
        As :func:`frechet_distance` takes them.

    Returns
    -------
    FrechetReport

    Raises
    ------
    ShapeError, DomainError, NotPositiveDefiniteError, ConvergenceError, BackendError
        As :func:`frechet_distance`.

    Notes
    -----
    O(d^3). Heusel et al., *GANs trained by a two time-scale update rule converge to a local Nash equilibrium* (2017),
    eq. 6.

    Examples
    --------
    >>> frechet_distance_report(([0.0], [[4.0]]), ([3.0], [[9.0]]))
    FrechetReport(value=10.0, way='eigenvalues', rank_a=1, rank_b=1, precision='float32 in float64')
    """
    (real_mean, real_covariance), (fake_mean, fake_covariance) = _pair("real", real), _pair("fake", fake)
    precision = _precision((real, real_covariance), (fake, fake_covariance))
    result = call(
        "frechet",
        "frechet_distance",
        real_mean=_float64(real_mean),
        real_covariance=_float64(real_covariance),
        fake_mean=_float64(fake_mean),
        fake_covariance=_float64(fake_covariance),
        settings={"rounding": _ROUNDING[precision]},
    )
    return _report(result, precision)


def frechet_distance_from_features(x: Array, y: Array) -> Any:
    r"""Squared Fréchet distance between the Gaussians that fit two sets of samples.

    .. math::
        d^2 = \lVert \bar x - \bar y \rVert^2 + \lVert X \rVert_F^2 + \lVert Y \rVert_F^2
        - 2 \lVert X Y^\top \rVert_*

    for centred samples X, Y over the roots of n - 1 and m - 1. A set of at most d samples is its own factor, and no
    d x d matrix is formed for it; sets of more than d are compared by their covariances.

    Parameters
    ----------
    x : array of shape (n, d), float32 or float64
        Features of one set, at least two samples.
    y : array of shape (m, d), float32 or float64
        Features of the other.

    Returns
    -------
    float
        Never negative. A 0-d float64 tensor if a gradient is recorded: differentiable in `x` and `y`; where a
        covariance is singular, the gradient is that of least norm.

    Raises
    ------
    ShapeError, DomainError, ConvergenceError
        If shapes do not fit, a feature is nan or infinite (row and column are named), or there are too few samples.

    Notes
    -----
    O(n m d + min(n, m)^2 max(n, m)) for sets of at most d, else O((n + m) d^2 + d^3). Heusel et al. (2017), eq. 6.

    Examples
    --------
    >>> frechet_distance_from_features([[0.0, 0.0], [2.0, 0.0]], [[1.0, 3.0], [3.0, 3.0]])
    10.0
    """
    return _report(call("frechet", "frechet_distance_from_features", x=x, y=y, settings={})).value


def _report(result: tuple[Any, str, int, int], precision: str = "float64") -> FrechetReport:
    value, way, rank_a, rank_b = result
    if is_tensor(value) and not value.requires_grad:
        value = value.item()
    return FrechetReport(value, way, rank_a, rank_b, precision)


def _pair(name: str, gaussian: Any) -> tuple[Any, Any]:
    if isinstance(gaussian, FeatureMoments):
        return gaussian.mean, gaussian.covariance
    if not isinstance(gaussian, tuple | list) or len(gaussian) != 2:
        got = type(gaussian).__name__
        raise DTypeError(f"`{name}` must be FeatureMoments or a pair of mean and covariance; got {got}")
    mean, covariance = gaussian
    return mean, covariance


def _float64(array: Any) -> Any:
    if is_tensor(array):
        return array.double()
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind in "fbiu" else array


def _precision(*given: tuple[Any, Any]) -> str:
    """Precision of the coarsest of sources and their matrices."""
    found = {_precision_of(source, matrix) for source, matrix in given}
    return next(name for name in _ROUNDING if name in found)


def _precision_of(source: Any, matrix: Any) -> str:
    single = str(getattr(matrix, "dtype", "")).endswith("float32")
    if single or (isinstance(source, FeatureMoments) and source.rounding > _ROUNDING["float64"]):
        return "float32"
    held = matrix.detach() if is_tensor(matrix) else np.asarray(matrix)
    # Nearly every matrix is told by its diagonal.
    diagonal_first = (held.diagonal(), held) if held.ndim == 2 else (held,)
    return "float32 in float64" if all(_fits_single(part) for part in diagonal_first) else "float64"


def _fits_single(array: Any) -> bool:
    """Whether float32 holds each number."""
    if is_tensor(array):
        return bool((array.float().to(array.dtype) == array).all())
    if array.dtype.kind not in "fbiu":
        return False
    with np.errstate(over="ignore"):
        return bool((array.astype(np.float32) == array).all())
