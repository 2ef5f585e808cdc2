"""Distances between clouds of points in any dimension that are built of transport on the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gancore._check import integer
from gancore.errors import DomainError
from gancore.kernels._dispatch import call, is_tensor
from gancore.kernels._line import check_order

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["MaxSliced", "energy_distance", "max_sliced_wasserstein", "sliced_wasserstein"]


def sliced_wasserstein(x: Array, y: Array, *, p: float = 2.0, n_projections: int = 1000, seed: int = 0) -> Any:
    r"""Sliced Wasserstein distance: W_p along random directions, averaged.

    .. math::
        SW_p(x, y) = \left( \frac1k \sum_{i=1}^k W_p(\langle \theta_i, x \rangle, \langle \theta_i, y \rangle)^p
        \right)^{1/p}

    with directions uniform on the sphere, normals by counter scaled to length 1: those of a seed are the same on every
    machine, and more projections only add to them. Never above W_p itself; for p = inf the largest term.

    Parameters
    ----------
    x : array of shape (n, d), float32 or float64
        Points.
    y : array of shape (m, d), float32 or float64
        Points. NumPy arrays, or torch tensors on one device (differentiable in the points).
    p : float, default 2
        Order, from 1 to inf.
    n_projections : int, default 1000
        Number of directions; the error of the p-th power falls as its root.
    seed : int, default 0
        Seed of the directions, from 0 to 2**64 - 1.

    Returns
    -------
    float
        In the units of the points; a 0-d tensor for torch input.

    Raises
    ------
    ShapeError
        If a cloud is empty, has another number of axes, or the dimensions differ.
    DomainError
        If a coordinate is nan or infinite, or a setting is out of range.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O(k (n + m) (d + log (n + m))); 8 directions at a time are held, and directions run in parallel. Rabin, Peyré, Delon
    and Bernot, *Wasserstein barycenter and its application to texture mixing* (2011), eq. 5.

    Examples
    --------
    >>> sliced_wasserstein([[0.0], [1.0]], [[5.0], [6.0]], n_projections=3)
    5.0
    """
    return _scalar(_projected("sliced_wasserstein", x, y, p=p, n_projections=n_projections, seed=seed), x)


class MaxSliced(NamedTuple):
    """A unit vector, and W_p along it."""

    value: Any
    direction: Any


def max_sliced_wasserstein(x: Array, y: Array, *, p: float = 2.0, n_projections: int = 100, seed: int = 0) -> MaxSliced:
    r"""Max-sliced Wasserstein distance, from below: W_p along a direction found by ascent.

    .. math::
        \max_{|\theta| = 1} W_p(\langle \theta, x \rangle, \langle \theta, y \rangle)

    The ascent starts from the best of some random directions and from the difference of the means, and takes no step
    that does not climb. What is guaranteed: the value is W_p along the direction returned, exactly, so a lower bound of
    the maximum, which is itself one of W_p(x, y); and no random direction, nor the start at the means, gives more. The
    maximum is a local one, for the problem is not concave.

    Parameters
    ----------
    x : array of shape (n, d), float32 or float64
        Points.
    y : array of shape (m, d), float32 or float64
        Points. NumPy arrays, or torch tensors on one device (differentiable in the points, with the direction fixed).
    p : float, default 2
        Order, from 1 to inf.
    n_projections : int, default 100
        How many random directions to try.
    seed : int, default 0
        Seed of the directions, from 0 to 2**64 - 1; they are those of :func:`sliced_wasserstein`.

    Returns
    -------
    MaxSliced
        value, a float (0-d tensor for torch input), and direction, of shape (d,).

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`sliced_wasserstein`.

    Notes
    -----
    O((n + m) (d + log (n + m))) for each random direction and for each step of at most 200 from 9 starts. Deshpande et
    al., *Max-sliced Wasserstein distance and its use for GANs* (2019), eq. 9.

    Examples
    --------
    >>> value, direction = max_sliced_wasserstein([[0.0, 0.0]], [[3.0, 4.0]])
    >>> round(value, 9), abs(direction).round(6).tolist()
    (5.0, [0.6, 0.8])
    """
    value, direction = _projected("max_sliced_wasserstein", x, y, p=p, n_projections=n_projections, seed=seed)
    return MaxSliced(_scalar(value, x), direction)


def energy_distance(x: Array, y: Array) -> Any:
    r"""Energy distance between two samples: the root, as SciPy's.

    .. math::
        D(x, y) = \left( 2 E|X - Y| - E|X - X'| - E|Y - Y'| \right)^{1/2}

    over all pairs, equal ones included, with Euclidean distances. On the line it is :math:`\sqrt 2` times the Cramér
    distance, and summed so, without cancellation; elsewhere the three means cancel where the samples are alike, down to
    about 1e-8 of the root of their diameter, and exactly where they are the same.

    Parameters
    ----------
    x : array of shape (n, d) or (n,), float32 or float64
        Points.
    y : array of shape (m, d) or (m,), float32 or float64
        Points. NumPy arrays, or torch tensors on one device (differentiable).

    Returns
    -------
    float
        In the unit of the root of a length; a 0-d tensor for torch input.

    Raises
    ------
    ShapeError
        If a cloud is empty, has another number of axes, or the dimensions differ.
    DomainError
        If a coordinate is nan or infinite.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O((n + m) log (n + m)) for d = 1, else O((n + m)^2 d) in parallel, in memory O((n + m) d). Székely and Rizzo,
    *Energy statistics: a class of statistics based on distances* (2013), definition 1.

    Examples
    --------
    >>> round(energy_distance([[0.0, 0.0]], [[0.0, 2.0]]), 12)
    2.0
    """
    x, y = _column(x), _column(y)
    return _scalar(call("wasserstein", "energy_distance", x=x, y=y, settings={}), x)


def _projected(function: str, x: Array, y: Array, *, p: float, n_projections: int, seed: int) -> Any:
    check_order(p)
    integer("n_projections", n_projections, least=1)
    integer("seed", seed, least=0)
    if n_projections >= 2**32:
        raise DomainError(f"n_projections: expected at most 2**32 - 1, got {n_projections}")
    if seed >= 2**64:
        raise DomainError(f"seed: expected at most 2**64 - 1, got {seed}")
    settings = {"p": float(p), "n_projections": int(n_projections), "seed": int(seed)}
    return call("wasserstein", function, x=x, y=y, settings=settings)


def _column(points: Array) -> Array:
    """Points on the line as a cloud of dimension 1."""
    if not is_tensor(points):
        points = np.asarray(points)
    return points[:, None] if points.ndim == 1 else points


def _scalar(value: Any, like: Array) -> Any:
    if isinstance(value, float) and is_tensor(like):
        import torch

        return torch.tensor(value, dtype=torch.float64)
    return value
