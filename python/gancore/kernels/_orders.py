"""Divergences that have an order: those of Rényi and of Amari."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore.kernels._measure import in_base, measure, order

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["alpha_divergence", "renyi"]


def renyi(p: Array, q: Array, alpha: float, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Rényi divergence of order alpha; the orders 0, 1 and inf are its limits.

    .. math::
        R_\alpha(p, q) = \frac{1}{\alpha - 1} \log \sum_i p_i^\alpha q_i^{1 - \alpha}

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    alpha : float
        The order, at least 0: 0 gives -log q(p > 0), 1 gives :func:`kl`, inf gives log max p/q.
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        It grows with the order; inf where q = 0 < p and alpha >= 1, or where supports are disjoint.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`; or if the order is negative.

    Notes
    -----
    O(size); rows run in parallel. Accurate for close rows and for orders near 1. van Erven and Harremoës, *Rényi
    divergence and Kullback-Leibler divergence* (2014), definition 2.

    Examples
    --------
    >>> renyi([0.5, 0.5], [0.25, 0.75], math.inf, base=2)
    1.0
    >>> round(renyi([0.5, 0.5], [0.25, 0.75], 1), 6)
    0.143841
    """
    return in_base("renyi", p, q, alpha=order(alpha), base=base, normalize=normalize)


def alpha_divergence(p: Array, q: Array, alpha: float, *, normalize: bool = False) -> Any:
    r"""Alpha divergence of Amari; the orders 0 and 1 are its limits.

    .. math::
        A_\alpha(p, q) = \frac{1}{\alpha (\alpha - 1)} \Bigl(\sum_i p_i^\alpha q_i^{1 - \alpha} - 1\Bigr)

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    alpha : float
        The order, any finite number: 0 gives :func:`reverse_kl`, 1 gives :func:`kl`, 1/2 four times the squared
        :func:`hellinger`, 2 and -1 half of :func:`chi_square` and of :func:`neyman`.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        A float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`; or if the order is not finite.

    Notes
    -----
    O(size); rows run in parallel. Accurate for close rows and for orders near 0 and 1. Cichocki and Amari, *Families of
    alpha- beta- and gamma-divergences* (2010), eq. 10.

    Examples
    --------
    >>> alpha_divergence([1.0, 0.0], [0.5, 0.5], 2)
    0.5
    """
    return measure("alpha", p, q, alpha=order(alpha), normalize=normalize)
