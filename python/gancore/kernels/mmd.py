"""Squared maximum mean discrepancy (MMD) of two samples of features: the distance behind KID, MMD-GAN and others.

Kernels, for rows x and y of length d:

- ``"polynomial"``: (gamma x.y + coef0)^degree, with gamma = 1/d if not given. The default is that of KID.
- ``"rbf"``: the sum over `bandwidth` s of exp(-|x - y|^2 / 2 s^2); s = 1, 2, 4, 8, 16 if not given (MMD-GAN, Li et al.
  2017).
- ``"rational_quadratic"``: the sum over `bandwidth` a of (1 + |x - y|^2 / 2 a)^-a; a = 0.2, 0.5, 1, 2, 5 if not given
  (Binkowski et al. 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gancore import _check
from gancore.errors import DomainError, ShapeError, UnknownNameError
from gancore.kernels._dispatch import call

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array, Scalar

__all__ = ["mmd2", "mmd2_subsets", "mmd2_with_error"]

Bandwidth: TypeAlias = float | Sequence[float]

_BANDWIDTHS: dict[str, tuple[float, ...]] = {
    "polynomial": (),
    "rbf": (1.0, 2.0, 4.0, 8.0, 16.0),
    "rational_quadratic": (0.2, 0.5, 1.0, 2.0, 5.0),
}


def mmd2(
    x: Array,
    y: Array,
    *,
    kernel: str = "polynomial",
    unbiased: bool = True,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    bandwidth: Bandwidth | None = None,
) -> Scalar:
    r"""Squared maximum mean discrepancy over all pairs.

    .. math::
        \mathrm{MMD}^2 = E\,k(x, x') + E\,k(y, y') - 2\,E\,k(x, y)

    Parameters
    ----------
    x, y : array of shape (n, d) and (m, d), float32 or float64
        Features, one sample a row. NumPy arrays, or torch tensors on one device (differentiable).
    kernel : {"polynomial", "rbf", "rational_quadratic"}
        The kernel, see the top of this module.
    unbiased : bool, default True
        Leave pairs of a sample with itself out; the value may then be negative. The biased value never is.
    degree, gamma, coef0 : int, float or None, float
        Of the polynomial kernel: an exponent from 1 to 64, a factor (1/d if None), and what is added.
    bandwidth : float or sequence of float, optional
        Of the others: kernels of several bandwidths are summed.

    Returns
    -------
    float
        A 0-d float64 tensor for tensors.

    Raises
    ------
    ShapeError
        If the arrays are not rows of one length, or have fewer than two of them (one, if biased).
    DomainError
        If a feature is nan or infinite (the message names row and column), or a parameter is out of range.
    UnknownNameError
        If there is no such kernel.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O((n + m)^2 d), in tiles, in parallel; memory O(n + m) and two blocks of 1024 rows a thread. Everything is float64,
    but for the polynomial kernel of more than 1024 float32 rows: the products of centred rows, of which nearly all of
    the time goes, then are float32, summed in float64; what is left of their errors is far below 1e-9 of the kernel.
    Pass float64 rows for float64 products. Gretton et al., *A kernel two-sample test* (2012), eqs. 3 and 5.

    Examples
    --------
    >>> mmd2([[0.0], [0.0]], [[1.0], [1.0]], degree=1, coef0=0.0)
    1.0
    >>> round(mmd2([[0.0], [0.0]], [[2.0], [2.0]], kernel="rbf", bandwidth=1.0), 6)
    1.729329
    """
    settings = _settings(
        x, kernel=kernel, degree=degree, gamma=gamma, coef0=coef0, bandwidth=bandwidth, unbiased=unbiased
    )
    value: Scalar = call("mmd", "mmd2", x=x, y=y, settings=settings)[0]
    return value


def mmd2_with_error(
    x: Array,
    y: Array,
    *,
    kernel: str = "polynomial",
    unbiased: bool = True,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    bandwidth: Bandwidth | None = None,
) -> tuple[Scalar, Scalar]:
    r"""Squared maximum mean discrepancy over all pairs, with its standard error.

    The error is the root of an unbiased estimate of the variance of the unbiased value over new samples of both sides,
    of first and second order, from the Hoeffding decomposition:

    .. math::
        \operatorname{Var} = \tfrac4n \operatorname{Var}(a_x - c_x) + \tfrac4m \operatorname{Var}(b_y - c_y)
        + \tfrac{2}{n(n-1)} E a_2^2 + \tfrac{2}{m(m-1)} E b_2^2 + \tfrac{4}{nm} E c_2^2

    Here a, b, c are the means of the kernel within x, within y and between them given one argument, and a2, b2, c2 the
    doubly centred kernels. Parts that are negative by chance count as 0, so that the error is up to about a third too
    large where both sides have one distribution.

    Parameters
    ----------
    x, y : array of shape (n, d) and (m, d), float32 or float64
        Features, one sample a row.
    kernel, unbiased, degree, gamma, coef0, bandwidth
        As for :func:`mmd2`.

    Returns
    -------
    value, standard_error : float
        The error is nan if a side has fewer than four rows.

    Raises
    ------
    ShapeError, DomainError, UnknownNameError, DTypeError
        As :func:`mmd2`.

    Notes
    -----
    The cost of :func:`mmd2`. Hoeffding, *A class of statistics with asymptotically normal distribution* (1948);
    Sutherland et al., *Generative models and model criticism via optimized MMD* (2017), appendix A, for n = m.

    Examples
    --------
    >>> x, y = [[0.0], [1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0], [5.0]]
    >>> value, error = mmd2_with_error(x, y, degree=1)
    >>> round(value, 4), round(error, 4)
    (0.4167, 1.7341)
    """
    settings = _settings(
        x, kernel=kernel, degree=degree, gamma=gamma, coef0=coef0, bandwidth=bandwidth, unbiased=unbiased
    )
    value, error = call("mmd", "mmd2", x=x, y=y, settings=settings)
    return value, error


def mmd2_subsets(
    x: Array,
    y: Array,
    *,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
    kernel: str = "polynomial",
    unbiased: bool = True,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    bandwidth: Bandwidth | None = None,
) -> Any:
    """Squared maximum mean discrepancy of pairs of random subsets, as KID is usually reported: by mean and deviation.

    Each subset holds `size` different rows of its side; subsets are drawn apart from each other. The deviation over
    subsets is that of one subset's value, not the error of their mean: for that, see :func:`mmd2_with_error`.

    Parameters
    ----------
    x, y : array of shape (n, d) and (m, d), float32 or float64
        Features, one sample a row.
    subsets, size : int
        How many pairs of subsets, and how many rows of each side in one.
    seed : int
        Decides the subsets.
    kernel, unbiased, degree, gamma, coef0, bandwidth
        As for :func:`mmd2`.

    Returns
    -------
    array of shape (subsets,), float64
        A value for each pair.

    Raises
    ------
    ShapeError, DomainError, UnknownNameError, DTypeError
        As :func:`mmd2`; DomainError also if a side has fewer rows than a subset.

    Notes
    -----
    O(subsets size^2 d), subsets in parallel, with two blocks of `size` rows a thread. Products are as for
    :func:`mmd2`, of any number of float32 rows. Binkowski et al., *Demystifying MMD GANs* (2018), section 4.

    Examples
    --------
    >>> x = np.arange(20.0).reshape(10, 2)
    >>> mmd2_subsets(x, x, subsets=3, size=10).round(12).tolist() == [round(mmd2(x, x), 12)] * 3
    True
    """
    _check.integer("subsets", subsets, least=1)
    _check.integer("size", size, least=2)
    _check.integer("seed", seed, least=0)
    settings = _settings(
        x, kernel=kernel, degree=degree, gamma=gamma, coef0=coef0, bandwidth=bandwidth, unbiased=unbiased
    )
    generator = np.random.Generator(np.random.Philox(seed))
    rows = {}
    for name, array in (("x", x), ("y", y)):
        n = len(array)
        if n < size:
            raise DomainError(f"`size` must be at most the {n} rows of `{name}`; got {size}")
        drawn = [generator.choice(n, size, replace=False) for _ in range(subsets)]
        rows[f"{name}_rows"] = np.asarray(drawn, dtype=np.int64)
    return call("mmd", "mmd2_subsets", x=x, y=y, settings={**rows, **settings})


def _settings(
    x: Array,
    *,
    kernel: str,
    degree: int,
    gamma: float | None,
    coef0: float,
    bandwidth: Bandwidth | None,
    unbiased: bool,
) -> dict[str, Any]:
    if kernel not in _BANDWIDTHS:
        raise UnknownNameError("kernel", kernel, _BANDWIDTHS)
    _check.integer("degree", degree, least=1)
    if degree > 64:
        raise DomainError(f"degree: expected at most 64, got {degree}")
    shape = np.shape(x)
    if len(shape) != 2:
        raise ShapeError(f"`x` must have shape (n, d); got {shape}")
    gamma = 1.0 / max(shape[1], 1) if gamma is None else gamma
    _check.number("gamma", gamma, above=0.0)
    _check.number("coef0", coef0, least=0.0)
    widths = _BANDWIDTHS[kernel] if bandwidth is None else bandwidth
    bandwidths = list(widths) if isinstance(widths, Sequence | np.ndarray) else [widths]
    if kernel != "polynomial" and not bandwidths:
        raise ShapeError("`bandwidth` must have at least one number; got none")
    for value in bandwidths:
        _check.number("bandwidth", value, above=0.0)
    parameters = (int(degree), float(gamma), float(coef0), [float(value) for value in bandwidths])
    return {"kernel": kernel, "shape": parameters, "unbiased": unbiased}
