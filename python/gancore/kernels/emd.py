"""Exact optimal transport between discrete measures, for any costs, with a proof of optimality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._check import integer
from gancore.kernels._dispatch import call, is_tensor

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["TransportPlan", "emd", "emd_cost"]


@dataclass(frozen=True, eq=False)
class TransportPlan:
    r"""An optimal plan, with duals that prove it optimal.

    The duals are feasible, :math:`u_i + v_j \le c_{ij}`, so :math:`a \cdot u + b \cdot v` bounds the cost of every
    plan from below, and `gap` is how far above that bound this plan is. They are the rates at which the least cost
    grows with the masses, also at atoms without mass. A constant may be moved from one side to the other; here each
    side carries half of the cost, :math:`a \cdot u = b \cdot v`.

    Parameters
    ----------
    cost : float
        Mass times cost, in the units of their product.
    rows, cols : array of shape (k,), int64
        Where mass moves: from atom ``rows[i]`` of `a` to atom ``cols[i]`` of `b`, in order; k <= n + m - 1.
    mass : array of shape (k,), float64
        How much moves there, always positive.
    dual_a, dual_b : array of shape (n,) and (m,), float64
        The duals u and v, in the units of the costs.
    gap : float
        Cost minus a.u + b.v, measured in float64 on the plan and duals returned; at most 1e-9 of the largest cost
        times the total mass, and of the order of rounding as a rule.
    iterations : int
        How many pivots, or paths of augmentation, it took.

    Raises
    ------
    dataclasses.FrozenInstanceError
        If a field is assigned.

    Notes
    -----
    Kantorovich, *On the translocation of masses* (1942).

    Examples
    --------
    >>> plan = emd([0.5, 0.5], [0.25, 0.75], [[0.0, 1.0], [1.0, 0.0]])
    >>> plan.cost, plan.gap
    (0.25, 0.0)
    >>> plan.to_dense()
    array([[0.25, 0.25],
           [0.  , 0.5 ]])
    """

    cost: float
    rows: Array
    cols: Array
    mass: Array
    dual_a: Array
    dual_b: Array
    gap: float
    iterations: int

    def to_dense(self) -> Any:
        """The plan as a matrix of shape (n, m), float64, with row sums `a` and column sums `b`."""
        shape = (len(self.dual_a), len(self.dual_b))
        mass: Any = self.mass
        dense = mass.new_zeros(shape) if is_tensor(mass) else np.zeros(shape)
        dense[self.rows, self.cols] = mass
        return dense


def emd(
    a: Array, b: Array, cost: Array, *, normalize: bool = False, max_iterations: int | None = None
) -> TransportPlan:
    r"""Optimal transport plan between two discrete measures, exact, with its certificate.

    .. math::
        \min_{x \ge 0} \sum_{ij} c_{ij} x_{ij}, \quad \sum_j x_{ij} = a_i, \; \sum_i x_{ij} = b_j
        \qquad = \max_{u_i + v_j \le c_{ij}} \sum_i a_i u_i + \sum_j b_j v_j

    Any finite costs: of any sign and scale, tied, or huge for pairs that must not meet. Masses of any scale, zeros
    included: flows are exact integers inside, so a mass of 1e-300 beside a mass of 1 arrives where it should.

    Parameters
    ----------
    a : array of shape (n,), float32 or float64
        Masses, not negative.
    b : array of shape (m,), float32 or float64
        Masses of the same total, within 1e-9 of it (1e-6 if either is float32); the lighter side is scaled up to the
        other exactly. NumPy arrays, or CPU tensors.
    cost : array of shape (n, m), float32 or float64
        Costs of moving a unit of mass; read in place where it is C-contiguous, whatever the dtype of the masses.
    normalize : bool, default False
        Rescale both sides to total 1 instead of refusing unequal totals.
    max_iterations : int, optional
        Most pivots allowed; no limit unless given.

    Returns
    -------
    TransportPlan
        Arrays of the kind of the input, without gradients; :func:`emd_cost` has these.

    Raises
    ------
    ShapeError
        If a side is empty, or the shapes do not fit.
    DomainError
        If a mass is negative, nan or infinite, a side has no mass, the totals differ (both are told), or a cost is
        nan, infinite or beyond 2^1000; the message names the first offending index.
    ConvergenceError
        If `max_iterations` is reached, with the gap reached; or if the certificate does not hold, which is not known
        to happen.
    DTypeError
        If the arrays are not numeric, or of different kinds.
    BackendError
        If tensors lie on a GPU, which has no such algorithm, or require a gradient.

    Notes
    -----
    Measured time grows like n^2.4; memory beyond the input is O(n + m). Uniform masses with n = m may be solved as an
    assignment problem instead. The answer does not depend on threads or instruction set; Ctrl-C stops it. Dantzig,
    *Application of the simplex method to a transportation problem* (1951); Jonker and Volgenant, *A shortest
    augmenting path algorithm for dense and sparse linear assignment problems* (1987).

    Examples
    --------
    >>> plan = emd([0.5, 0.5], [0.5, 0.5], [[1.0, 4.0], [9.0, 1.0]])
    >>> plan.cost, plan.rows.tolist(), plan.cols.tolist()
    (1.0, [0, 1], [0, 1])
    """
    settings = _settings(normalize=normalize, max_iterations=max_iterations)
    answer = call("emd", "emd", a=a, b=b, cost=cost, settings=settings, mixed=True)
    value, (rows, cols, mass), (dual_a, dual_b), gap, iterations = answer
    return TransportPlan(value, rows, cols, mass, dual_a, dual_b, gap, iterations)


def emd_cost(a: Array, b: Array, cost: Array, *, normalize: bool = False, max_iterations: int | None = None) -> Any:
    r"""Least cost of transport between discrete measures, differentiable in masses and costs.

    The value of :func:`emd`, also for many problems at once. For tensors that require a gradient,

    .. math::
        \frac{\partial W}{\partial c_{ij}} = x_{ij}, \qquad
        \frac{\partial W}{\partial a_i} = u_i, \qquad \frac{\partial W}{\partial b_j} = v_j

    with the duals feasible at every atom, so the slope is right where a mass is zero too (there it is that of adding
    mass). Masses are only free to change while the totals stay equal, which leaves a constant open that may be moved
    from u to v: it is chosen so that :math:`a \cdot u = b \cdot v`, each side carrying half of the cost. Every change
    that keeps the totals equal, jointly scaled masses among them, then has its exact derivative; to step along
    simplices, subtract the gradients' means. With ``normalize=True`` gradients are those through the rescaling. Where
    several plans or duals are optimal, which ties make usual, one of the subgradients is given.

    Parameters
    ----------
    a : array of shape (..., n), float32 or float64
        Masses, as :func:`emd` takes them.
    b : array of shape (..., m), float32 or float64
        Masses, with the leading axes of `a`.
    cost : array of shape (..., n, m) or (n, m), float32 or float64
        Costs of each problem, or of all of them.
    normalize : bool, default False
        Rescale both sides to total 1 instead of refusing unequal totals.
    max_iterations : int, optional
        Most pivots allowed for a problem; no limit unless given.

    Returns
    -------
    array of shape (...), float64
        A float for a single pair of NumPy rows.

    Raises
    ------
    ShapeError, DomainError, ConvergenceError, DTypeError
        As :func:`emd`.
    BackendError
        If tensors lie on a GPU, or a second derivative is asked for: the cost is piecewise linear.

    Notes
    -----
    As :func:`emd`; many problems run in parallel. Bertsimas and Tsitsiklis, *Introduction to Linear Optimization*
    (1997), section 5.2, for the derivatives.

    Examples
    --------
    >>> emd_cost([0.5, 0.5], [0.25, 0.75], [[0.0, 1.0], [1.0, 0.0]])
    0.25
    """
    settings = _settings(normalize=normalize, max_iterations=max_iterations)
    return call("emd", "emd_cost", a=a, b=b, cost=cost, settings=settings, mixed=True)


def _settings(*, normalize: bool, max_iterations: int | None) -> dict[str, Any]:
    if max_iterations is not None:
        integer("max_iterations", max_iterations, least=0)
    return {"normalize": normalize, "max_iterations": max_iterations}
