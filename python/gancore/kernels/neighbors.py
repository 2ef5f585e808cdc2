"""Nearest neighbours of rows, and how many rows lie in balls around others: what precision, recall and coverage count.

Distances are Euclidean, of the differences of rows in float64; every comparison is as if each distance had been so
computed, also at ties: equal rows have distance 0, and a row at the distance of a radius lies on the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gancore import _check
from gancore.errors import ShapeError
from gancore.kernels._dispatch import call, is_tensor, refuse_gradients

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["BallCounts", "ball_counts", "knn_distances", "knn_radii"]


class BallCounts(NamedTuple):
    """Counts of rows in balls, in the shape of the radii they belong to.

    Parameters
    ----------
    x_holds : array of shape (..., n)
        How many rows of y lie in the ball around each row of x.
    y_held : array of shape (..., m)
        In how many balls around rows of x each row of y lies.
    y_holds : array of shape (..., m)
        How many rows of x lie in the ball around each row of y.
    x_held : array of shape (..., n)
        In how many balls around rows of y each row of x lies.

    Raises
    ------
    TypeError
        If a field is missing.

    Notes
    -----
    Naeem et al., *Reliable fidelity and diversity metrics for generative models* (2020), eqs. 3 and 4.

    Examples
    --------
    >>> ball_counts([[0.0]], [[1.0]], x_radii=[2.0]).y_held
    array([1])
    """

    x_holds: Any
    y_held: Any
    y_holds: Any
    x_held: Any


def knn_distances(x: Array, k: int) -> Any:
    """Distances of each row to its k nearest others, the row itself left out.

    Parameters
    ----------
    x : array of shape (n, d), float32 or float64
        Rows. A NumPy array or a torch tensor.
    k : int
        How many neighbours, from 1 to n - 1.

    Returns
    -------
    array of shape (n, k), float64
        In ascending order; another row that is equal is at distance 0.

    Raises
    ------
    ShapeError
        If there are fewer than two rows, or x is not made of rows.
    DomainError
        If a feature is nan or infinite (the message names row and column), or k is out of range.
    DTypeError
        If the array is not numeric.
    BackendError
        If the gradient of a tensor is recorded.

    Notes
    -----
    O(n^2 d), each pair once, in parallel; memory O(n k) and two blocks of 1024 rows a thread. Float32 products rule out
    the pairs that surely are too far; the others are computed from differences in float64. Kynkäänniemi et al.,
    *Improved precision and recall metric for assessing generative models* (2019), section 3.

    Examples
    --------
    >>> knn_distances([[0.0], [1.0], [4.0]], 2).tolist()
    [[1.0, 4.0], [1.0, 3.0], [3.0, 4.0]]
    """
    _check.integer("k", k, least=1)
    refuse_gradients("knn_distances", x=x)
    return call("neighbors", "knn_distances", x=x, settings={"k": int(k)})


def knn_radii(x: Array, k: int) -> Any:
    """Distance of each row to its k-th nearest other.

    Parameters
    ----------
    x : array of shape (n, d), float32 or float64
        Rows. A NumPy array or a torch tensor.
    k : int
        Which neighbour, from 1 to n - 1.

    Returns
    -------
    array of shape (n,), float64

    Raises
    ------
    ShapeError, DomainError, DTypeError, BackendError
        As :func:`knn_distances`.

    Notes
    -----
    The cost of :func:`knn_distances`. Kynkäänniemi et al., *Improved precision and recall metric for assessing
    generative models* (2019), section 3.

    Examples
    --------
    >>> knn_radii([[0.0], [1.0], [4.0]], 1).tolist()
    [1.0, 1.0, 3.0]
    """
    return knn_distances(x, k)[:, -1]


def ball_counts(x: Array, y: Array, *, x_radii: Any = None, y_radii: Any = None, inclusive: bool = True) -> BallCounts:
    """Counts of y in balls around x and of x in balls around y, in one pass over all pairs.

    Parameters
    ----------
    x, y : array of shape (n, d) and (m, d), float32 or float64
        Rows. NumPy arrays, or torch tensors on one device.
    x_radii, y_radii : array of shape (n,) or (f, n), and (m,) or (f, m), optional
        A radius for each ball, or several families of them; no balls, if not given. A ball of negative radius is empty.
    inclusive : bool, default True
        Whether the border belongs to the ball: distance <= radius. Precision and recall are so defined, density and
        coverage with False, distance < radius. Radii of ``numpy.nextafter(r, -inf)`` make single families exclusive.

    Returns
    -------
    BallCounts
        Integer arrays (x_holds, y_held, y_holds, x_held); those without radii have a first axis of length 0.

    Raises
    ------
    ShapeError
        If the rows do not fit each other or the radii.
    DomainError
        If a feature is nan or infinite (the message names row and column), or a radius is nan.
    DTypeError
        If the arrays are not numeric, or of different kinds.
    BackendError
        If the gradient of a tensor is recorded.

    Notes
    -----
    O(n m d), in parallel; memory O(n + m) and two blocks of 1024 rows a thread. Float32 products settle most pairs;
    those within their error of a radius are computed from differences in float64. Naeem et al., *Reliable fidelity and
    diversity metrics for generative models* (2020), eqs. 3 and 4.

    Examples
    --------
    >>> counts = ball_counts([[0.0], [4.0]], [[1.0], [2.0]], x_radii=[1.0, 2.5])
    >>> counts.x_holds.tolist(), counts.y_held.tolist()
    ([1, 1], [1, 1])
    >>> ball_counts([[0.0], [4.0]], [[1.0], [2.0]], x_radii=[1.0, 2.5], inclusive=False).x_holds.tolist()
    [0, 1]
    """
    refuse_gradients("ball_counts", x=x, y=y)
    families = {
        "x_radii": _radii("x_radii", x_radii, len(x), inclusive=inclusive),
        "y_radii": _radii("y_radii", y_radii, len(y), inclusive=inclusive),
    }
    flat = call("neighbors", "ball_counts", x=x, y=y, settings=families)
    lengths = {"x": len(x), "y": len(y)}
    counts = []
    for name, values in zip(BallCounts._fields, flat, strict=True):
        own = name[0] if name.endswith("holds") else "xy".replace(name[0], "")
        radii = families[f"{own}_radii"]
        given = x_radii if own == "x" else y_radii
        length = lengths[name[0]]
        single = given is not None and np.ndim(given) == 1
        shape = (length,) if single else (len(radii), length)
        counts.append(values.reshape(shape))
    return BallCounts(*counts)


def _radii(name: str, radii: Any, n: int, *, inclusive: bool) -> Any:
    if radii is None:
        return np.empty((0, n))
    values = radii.detach().cpu().numpy() if is_tensor(radii) else np.asarray(radii)
    values = values.astype(np.float64)
    if values.ndim not in (1, 2) or values.shape[-1] != n:
        raise ShapeError(f"`{name}` must have shape ({n},) or (f, {n}); got {values.shape}")
    values = np.atleast_2d(values)
    # d < r exactly where d <= the number before r.
    return np.ascontiguousarray(values if inclusive else np.nextafter(values, -np.inf))
