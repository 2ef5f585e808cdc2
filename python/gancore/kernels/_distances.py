"""Distances of masses without a logarithm: total variation, Hellinger, chi-square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore.kernels._measure import measure

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["chi_square", "hellinger", "neyman", "total_variation"]


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
    return measure("total_variation", p, q, normalize=normalize)


def hellinger(p: Array, q: Array, *, normalize: bool = False) -> Any:
    r"""Hellinger distance: a metric in [0, 1].

    .. math::
        H(p, q) = \Bigl(\tfrac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2\Bigr)^{1/2}

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
    O(size); rows run in parallel. Each term is ((p - q) / (sqrt p + sqrt q))^2, which does not cancel. Le Cam and Yang,
    *Asymptotics in Statistics* (2000), section 3.1.

    Examples
    --------
    >>> hellinger([1.0, 0.0], [0.0, 1.0])
    1.0
    """
    return measure("hellinger", p, q, normalize=normalize)


def chi_square(p: Array, q: Array, *, normalize: bool = False) -> Any:
    r"""Pearson's chi-square divergence of p from q.

    .. math::
        \chi^2(p, q) = \sum_i \frac{(p_i - q_i)^2}{q_i}

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        The divergence, inf where q = 0 < p; a float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`.

    Notes
    -----
    O(size); rows run in parallel. Pearson, *On the criterion that a given system of deviations* (1900).

    Examples
    --------
    >>> chi_square([1.0, 0.0], [0.5, 0.5])
    1.0
    """
    return measure("pearson", p, q, normalize=normalize)


def neyman(p: Array, q: Array, *, normalize: bool = False) -> Any:
    r"""Neyman's chi-square divergence: Pearson's with its arguments swapped.

    .. math::
        \chi^2(q, p) = \sum_i \frac{(p_i - q_i)^2}{p_i}

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
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
    O(size); rows run in parallel. Neyman, *Contribution to the theory of the chi-square test* (1949).

    Examples
    --------
    >>> neyman([0.5, 0.5], [1.0, 0.0])
    1.0
    """
    return measure("neyman", p, q, normalize=normalize)
