"""Kullback-Leibler divergence, its reverse, and Jensen-Shannon divergence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore.kernels._measure import in_base

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["jensen_shannon", "kl", "reverse_kl"]


def kl(p: Array, q: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Kullback-Leibler divergence of p from q.

    .. math::
        \mathrm{KL}(p, q) = \sum_i p_i \log \frac{p_i}{q_i}

    Summed without negative terms, so it is never negative and keeps its digits where p and q almost agree.

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        The divergence, inf where q = 0 < p; a float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError
        If the shapes differ or the last axis is empty.
    DomainError
        If masses are negative, nan or infinite, or do not sum to 1; the message names argument, row and index.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O(size); rows run in parallel. Kullback and Leibler, *On information and sufficiency* (1951), eq. 2.4.

    Examples
    --------
    >>> round(kl([0.5, 0.5], [0.25, 0.75]), 6)
    0.143841
    >>> kl([0.5, 0.5], [1.0, 0.0])
    inf
    """
    return in_base("kl", p, q, base=base, normalize=normalize)


def reverse_kl(p: Array, q: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Kullback-Leibler divergence with its arguments swapped: of q from p.

    .. math::
        \mathrm{KL}(q, p) = \sum_i q_i \log \frac{q_i}{p_i}

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        The divergence, inf where p = 0 < q; a float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); rows run in parallel. Kullback and Leibler, *On information and sufficiency* (1951), eq. 2.4.

    Examples
    --------
    >>> reverse_kl([0.25, 0.75], [0.5, 0.5]) == kl([0.5, 0.5], [0.25, 0.75])
    True
    """
    return in_base("reverse_kl", p, q, base=base, normalize=normalize)


def jensen_shannon(p: Array, q: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Jensen-Shannon divergence (the divergence, not its root).

    .. math::
        \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}(p, m) + \tfrac12 \mathrm{KL}(q, m), \qquad m = \tfrac12 (p + q)

    It lies in [0, log 2] and is symmetric; its square root is a metric.

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        A float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); rows run in parallel. Lin, *Divergence measures based on the Shannon entropy* (1991), eq. 4.1.

    Examples
    --------
    >>> round(jensen_shannon([1.0, 0.0], [0.0, 1.0], base=2), 12)
    1.0
    """
    return in_base("jensen_shannon", p, q, base=base, normalize=normalize)
