"""Divergences between discrete distributions, over the last axis, in nats unless a base is given.

Arrays of masses must be finite, not negative, and sum to 1 within 1e-6 (the rest is rescaled away: the value is that of
p / sum p and q / sum q, whose sums are compensated), or be rescaled on request. Conventions at zero mass: 0 log 0 = 0,
and q = 0 < p is infinitely far where the limit is. The generators, conjugates and optimal critics behind
:func:`f_divergence` are in ``gancore.kernels._f_divergences``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore._check import number
from gancore.errors import DomainError, UnknownNameError
from gancore.kernels._dispatch import call
from gancore.kernels._f_divergences import TABLE

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = [
    "alpha_divergence",
    "chi_square",
    "cross_entropy",
    "entropy",
    "f_divergence",
    "hellinger",
    "jensen_shannon",
    "kl",
    "mutual_information",
    "neyman",
    "renyi",
    "reverse_kl",
    "total_variation",
]

F_DIVERGENCES: tuple[str, ...] = tuple(TABLE)
"""Names that :func:`f_divergence` takes."""


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
    return _in_base("reverse_kl", p, q, base=base, normalize=normalize)


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
    return _measure("total_variation", p, q, normalize=normalize)


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
    return _measure("hellinger", p, q, normalize=normalize)


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
    return _measure("pearson", p, q, normalize=normalize)


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
    return _measure("neyman", p, q, normalize=normalize)


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
    >>> renyi([0.5, 0.5], [0.25, 0.75], 1) == kl([0.5, 0.5], [0.25, 0.75])
    True
    """
    return _in_base("renyi", p, q, alpha=_order(alpha), base=base, normalize=normalize)


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
    return _measure("alpha", p, q, alpha=_order(alpha), normalize=normalize)


def f_divergence(p: Array, q: Array, name: str, *, normalize: bool = False) -> Any:
    r"""An f-divergence of the f-GAN table, by name.

    .. math::
        D_f(p, q) = \sum_i q_i f\Bigl(\frac{p_i}{q_i}\Bigr)

    Parameters
    ----------
    p, q : array of shape (..., k), float32 or float64
        Masses on the last axis. NumPy arrays, or torch tensors on one device (differentiable).
    name : str
        One of :data:`F_DIVERGENCES`: kl, reverse_kl, pearson, neyman, squared_hellinger (the sum of squared differences
        of roots, without a factor 1/2), jensen_shannon, gan (twice Jensen-Shannon less log 4), total_variation.
    normalize : bool, default False
        Rescale masses to sum 1 instead of refusing other sums.

    Returns
    -------
    array of shape (...), float64
        In nats; a float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`kl`; or UnknownNameError for another name.

    Notes
    -----
    O(size); rows run in parallel. Nowozin, Cseke and Tomioka, *f-GAN* (2016), table 1.

    Examples
    --------
    >>> f_divergence([1.0, 0.0], [0.0, 1.0], "squared_hellinger")
    2.0
    >>> round(f_divergence([0.5, 0.5], [0.5, 0.5], "gan"), 6)
    -1.386294
    """
    if name not in TABLE:
        raise UnknownNameError("f-divergence", name, F_DIVERGENCES)
    return _measure(name, p, q, normalize=normalize)


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
    return _in_base("entropy", p, p, base=base, normalize=normalize)


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
    return _in_base("cross_entropy", p, q, base=base, normalize=normalize)


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
    _check_base(base)
    nats = call("divergence", "mutual_information", joint=joint, settings={"normalize": normalize})
    return nats if base == math.e else nats / math.log(base)


def _in_base(measure: str, p: Array, q: Array, *, alpha: float = 0.0, base: float, normalize: bool) -> Any:
    _check_base(base)
    nats = _measure(measure, p, q, alpha=alpha, normalize=normalize)
    return nats if base == math.e else nats / math.log(base)


def _measure(measure: str, p: Array, q: Array, *, alpha: float = 0.0, normalize: bool) -> Any:
    settings = {"measure": measure, "alpha": alpha, "normalize": normalize}
    return call("divergence", "divergence", p=p, q=q, settings=settings)


def _check_base(base: float) -> None:
    if not (math.isfinite(base) and base > 1.0):
        raise DomainError(f"`base` must be a finite number above 1; got {base}")


def _order(alpha: float) -> float:
    if alpha != math.inf:
        number("alpha", alpha)
    return float(alpha)
