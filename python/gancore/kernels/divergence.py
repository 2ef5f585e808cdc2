"""Divergences between discrete distributions, over the last axis, in nats unless a base is given.

Arrays of masses must be finite, not negative, and sum to 1 within 1e-6 (the rest is rescaled away: the value is that of
p / sum p and q / sum q, whose sums are compensated), or be rescaled on request. Conventions at zero mass: 0 log 0 = 0,
and q = 0 < p is infinitely far where the limit is. The generators, conjugates and optimal critics behind
:func:`f_divergence` are in ``gancore.kernels._f_divergences``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore.errors import UnknownNameError
from gancore.kernels._distances import chi_square, hellinger, neyman, total_variation
from gancore.kernels._entropy import cross_entropy, entropy, mutual_information
from gancore.kernels._f_divergences import TABLE
from gancore.kernels._measure import measure
from gancore.kernels._orders import alpha_divergence, renyi
from gancore.kernels._relative_entropy import jensen_shannon, kl, reverse_kl

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
    return measure(name, p, q, normalize=normalize)
