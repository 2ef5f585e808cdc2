"""Divergences between discrete distributions, over the last axis, in nats unless a base is given.

Arrays of masses must be finite, not negative, and sum to 1 within 1e-6 (the rest is rescaled away, exactly), or be
rescaled on request. Conventions at zero mass: 0 log 0 = 0, and q = 0 < p is infinitely far.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore.errors import DomainError
from gancore.kernels._dispatch import call

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["jensen_shannon", "kl", "total_variation"]


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
    return _in_base("kl", p, q, base=base, normalize=normalize)


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
    return _in_base("jensen_shannon", p, q, base=base, normalize=normalize)


def total_variation(p: Array, q: Array, *, normalize: bool = False) -> Any:
    r"""Total variation distance: the largest difference in probability of any event.

    .. math::
        \mathrm{TV}(p, q) = \tfrac12 \sum_i |p_i - q_i| \in [0, 1]

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable where p differs from q).
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
    O(size); rows run in parallel. Levin, Peres and Wilmer, *Markov Chains and Mixing Times* (2009), prop. 4.2.

    Examples
    --------
    >>> total_variation([1.0, 0.0], [0.25, 0.75])
    0.75
    """
    return call("divergence", "total_variation", p=p, q=q, settings={"normalize": normalize})


def _in_base(function: str, p: Array, q: Array, *, base: float, normalize: bool) -> Any:
    if not (math.isfinite(base) and base > 1.0):
        raise DomainError(f"`base` must be a finite number above 1; got {base}")
    nats = call("divergence", function, p=p, q=q, settings={"normalize": normalize})
    return nats if base == math.e else nats / math.log(base)
