"""Entropy, cross entropy and mutual information."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore.kernels._dispatch import call
from gancore.kernels._measure import check_base, in_base

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["cross_entropy", "entropy", "mutual_information"]


def entropy(p: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Shannon entropy.

    .. math::
        H(p) = -\sum_i p_i \log p_i

    Parameters
    ----------
    p : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy array or torch tensor (differentiable).
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        In [0, log k]; a float for a single NumPy row.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); rows run in parallel. Shannon, *A mathematical theory of communication* (1948), section 6.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25], base=2)
    1.5
    """
    return in_base("entropy", p, p, base=base, normalize=normalize)


def cross_entropy(p: Array, q: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Cross entropy: the expected length of a code for q under p.

    .. math::
        H(p, q) = -\sum_i p_i \log q_i = H(p) + \mathrm{KL}(p, q)

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
        The entropy, inf where q = 0 < p; a float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); rows run in parallel. Cover and Thomas, *Elements of Information Theory* (2006), section 2.3.

    Examples
    --------
    >>> cross_entropy([0.5, 0.5], [0.25, 0.75], base=2) > entropy([0.5, 0.5], base=2)
    True
    """
    return in_base("cross_entropy", p, q, base=base, normalize=normalize)


def mutual_information(joint: Array, *, base: float = math.e, normalize: bool = False) -> Any:
    r"""Mutual information of two variables: how far their joint distribution is from independence.

    .. math::
        I = \sum_{ij} p_{ij} \log \frac{p_{ij}}{\sum_b p_{ib} \sum_a p_{aj}}

    Parameters
    ----------
    joint : array of shape (..., a, b), float32 or float64
        Masses on the last two axes, which sum to 1. NumPy array or torch tensor (differentiable).
    base : float, default e
        Base of the logarithm, above 1: e gives nats, 2 gives bits.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        A float for a single NumPy table.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); tables run in parallel. Cover and Thomas, *Elements of Information Theory* (2006), eq. 2.28.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2)
    1.0
    >>> mutual_information([[0.25, 0.25], [0.25, 0.25]])
    0.0
    """
    check_base(base)
    nats = call("divergence", "mutual_information", joint=joint, settings={"normalize": normalize})
    return nats if base == math.e else nats / math.log(base)
