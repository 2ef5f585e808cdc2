"""The Fréchet distance between Gaussians, exact for singular covariances too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from gancore.errors import DTypeError
from gancore.kernels._dispatch import call, is_tensor
from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["frechet_distance", "trace_sqrt_product"]

Gaussian: TypeAlias = Union[FeatureMoments, "tuple[Array, Array]"]
"""What has a mean and a covariance: feature statistics, or the pair itself."""


def trace_sqrt_product(a: Array, b: Array) -> float:
    r"""Trace of the square root of a product of positive semi-definite matrices.

    .. math::
        \operatorname{tr} (A B)^{1/2} = \sum_i \sqrt{\lambda_i(L^\top B L)} = \lVert L^\top K \rVert_*,
        \qquad A = L L^\top, \; B = K K^\top

    Eigenvalues where both matrices are safely positive definite, singular values of rank-revealing factors where they
    are not. No complex number appears, and nothing is added to a diagonal.

    Parameters
    ----------
    a, b : array of shape (d, d)
        Symmetric and positive semi-definite up to rounding; singular ones too. NumPy arrays or torch tensors.

    Returns
    -------
    float

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
    BackendError
        If a gradient is asked for.

    Notes
    -----
    O(d^3). Dowson and Landau, *The Fréchet distance between multivariate normal distributions* (1982), eq. 4.

    Examples
    --------
    >>> trace_sqrt_product([[4.0, 0.0], [0.0, 0.0]], [[9.0, 0.0], [0.0, 1.0]])
    6.0
    """
    return float(call("frechet", "trace_sqrt_product", a=_float64(a), b=_float64(b), settings={}))


def frechet_distance(real: Gaussian, fake: Gaussian) -> float:
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
        Never negative; zero for equal Gaussians up to rounding.

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
    (real_mean, real_covariance), (fake_mean, fake_covariance) = _pair("real", real), _pair("fake", fake)
    distance = call(
        "frechet",
        "frechet_distance",
        real_mean=real_mean,
        real_covariance=real_covariance,
        fake_mean=fake_mean,
        fake_covariance=fake_covariance,
        settings={},
    )
    return float(distance)


def _pair(name: str, gaussian: Any) -> tuple[Any, Any]:
    if isinstance(gaussian, FeatureMoments):
        return gaussian.mean, gaussian.covariance
    if not isinstance(gaussian, tuple | list) or len(gaussian) != 2:
        got = type(gaussian).__name__
        raise DTypeError(f"`{name}` must be FeatureMoments or a pair of mean and covariance; got {got}")
    mean, covariance = gaussian
    return _float64(mean), _float64(covariance)


def _float64(array: Any) -> Any:
    if is_tensor(array):
        return array.double()
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind in "fbiu" else array
