r"""Standard error of the Fréchet distance by its influence function: the infinitesimal jackknife, with one gradient.

A sample x, u = x - mu_r, moves the distance of n_r samples by psi(x) / n_r to first order,

.. math::
    \psi(x) = 2 (\mu_r - \mu_f)^\top u + u^\top (I - T) u, \qquad
    T = 2 \, \partial \operatorname{tr} (\Sigma_r \Sigma_f)^{1/2} / \partial \Sigma_r

and the variance of the distance is the sum over the sides of that of psi over their number of samples (L. A. Jaeckel,
"The infinitesimal jackknife" (1972); B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans" (1982),
section 6.3). With Sigma_r = K K^T, K^T Sigma_f K = Q S^2 Q^T and W = K Q the matrices T are

.. math::
    T_f = W S^{-1} W^\top, \qquad T_r = \Sigma_f W S^{-3} W^\top \Sigma_f.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from gancore.kernels.moments import FeatureMoments
    from gancore.metrics._look import Rows

__all__ = ["standard_error"]

_Array: TypeAlias = "np.ndarray[Any, Any]"

_BLOCK = 256
_NEGLIGIBLE = 1e-7
"""Against the largest, singular values that are left out: together they carry a vanishing part of the distance."""


def standard_error(
    real: FeatureMoments, fake: FeatureMoments, real_rows: Rows | None, fake_rows: Rows | None
) -> float | None:
    """Of the distance of two sides, from random samples of their rows; a side without any is held fixed.

    None if no side has two rows.

    Notes
    -----
    O(d^3 + m d^2) for m rows. The rows' number says how well the error is known, to about (2 m)^(-1/2) of itself.
    """
    sides = [
        (side, rows) for side, rows in ((real, real_rows), (fake, fake_rows)) if rows is not None and len(rows) > 1
    ]
    if not sides:
        return None
    mean_r, mean_f = (np.asarray(_on_cpu(side.mean)) for side in (real, fake))
    other = np.asarray(_on_cpu(fake.covariance))
    vectors, roots = _map(np.asarray(_on_cpu(real.covariance)), other)
    variance = 0.0
    for side, rows in sides:
        if side is real:
            mean, apart, left, power = mean_r, mean_r - mean_f, other @ vectors, -1.5
        else:
            mean, apart, left, power = mean_f, mean_f - mean_r, vectors, -0.5
        left = left * roots**power
        variance += float(np.var(_influence(rows, mean, apart, left), ddof=1)) / (side.count or len(rows))
    return math.sqrt(variance)


def _map(one: _Array, two: _Array) -> tuple[_Array, _Array]:
    """W and S, without what is negligible."""
    factor = _factor(one)
    squares, q = np.linalg.eigh(factor.T @ (two @ factor))
    kept = squares > _NEGLIGIBLE**2 * max(squares[-1], 0.0) if len(squares) else np.zeros(0, dtype=bool)
    return factor @ q[:, kept], np.sqrt(squares[kept])


def _factor(matrix: _Array) -> _Array:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
        return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _influence(rows: Rows, mean: _Array, apart: _Array, left: _Array) -> _Array:
    """The influence of each row, for T = left left^T."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        u = rows[start : start + _BLOCK].astype(np.float64) - mean
        found[start : start + len(u)] = 2 * (u @ apart) + np.einsum("ij,ij->i", u, u) - np.square(u @ left).sum(axis=1)
    return found


def _on_cpu(array: Any) -> Any:
    return array.cpu() if hasattr(array, "cpu") else array
