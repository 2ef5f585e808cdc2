"""Hypothesis strategies: distributions, costs and covariances, with the cases in which implementations break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cost_matrices", "distribution_pairs", "distributions", "spd_matrices"]


@st.composite
def distributions(draw: st.DrawFn, k: int, *, zeros: bool = True) -> NDArray[np.float64]:
    """Distributions over k outcomes: multiples of one unit mass, so that examples shrink to readable ones.

    Parameters
    ----------
    k : int
        How many outcomes.
    zeros : bool, default True
        Whether outcomes may have no mass.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(distributions(3))
    ... def sums_to_one(p):
    ...     assert abs(p.sum() - 1) < 1e-12
    >>> sums_to_one()
    """
    masses = draw(st.lists(st.integers(0 if zeros else 1, 64), min_size=k, max_size=k).filter(any))
    values: NDArray[np.float64] = np.array(masses, dtype=np.float64) / sum(masses)
    return values


@st.composite
def distribution_pairs(
    draw: st.DrawFn, k: int | None = None, *, zeros: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pairs of distributions over the same outcomes, 2 to 6 of them unless told.

    Parameters
    ----------
    k : int, optional
        How many outcomes.
    zeros : bool, default True
        Whether outcomes may have no mass.
    """
    count = draw(st.integers(2, 6)) if k is None else k
    return draw(distributions(count, zeros=zeros)), draw(distributions(count, zeros=zeros))


@st.composite
def cost_matrices(draw: st.DrawFn, n: int, m: int, *, largest: int = 100) -> NDArray[np.float64]:
    """Matrices (n, m) of costs from 0 to the largest, whole numbers, with ties.

    Parameters
    ----------
    n, m : int
        Rows and columns.
    largest : int, default 100
        The largest cost.
    """
    costs = st.lists(st.integers(0, largest), min_size=n * m, max_size=n * m)
    return np.array(draw(costs), dtype=np.float64).reshape(n, m)


@st.composite
def spd_matrices(draw: st.DrawFn, d: int, *, least: float = 0.125) -> NDArray[np.float64]:
    """Symmetric positive definite matrices (d, d), whose eigenvalues are at least `least`.

    Parameters
    ----------
    d : int
        Order.
    least : float, default 0.125
        Lower bound of the eigenvalues.
    """
    entries = st.lists(st.integers(-8, 8), min_size=d * d, max_size=d * d)
    root = np.array(draw(entries), dtype=np.float64).reshape(d, d) / 4
    matrix: NDArray[np.float64] = root @ root.T + least * np.eye(d)
    return matrix
