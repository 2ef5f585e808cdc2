"""Exact transport against linear programs, enumeration and closed forms, its laws, and where others fail."""

from __future__ import annotations

import itertools
import math
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment, linprog

from gancore.errors import BackendError, ConvergenceError, DomainError, DTypeError, ShapeError
from gancore.kernels.emd import TransportPlan, emd, emd_cost

Problem = tuple[np.ndarray, np.ndarray, np.ndarray]


def linear_program(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    n, m = cost.shape
    sums = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(cost.ravel(), A_eq=sums, b_eq=np.concatenate([a, b * (a.sum() / b.sum())]), method="highs").fun


def check(a: np.ndarray, b: np.ndarray, cost: np.ndarray, plan: TransportPlan) -> None:
    """Everything that makes a plan one, and optimal."""
    n, m = cost.shape
    dense = plan.to_dense()
    assert len(plan.mass) == len(plan.rows) == len(plan.cols) <= n + m - 1
    assert (plan.mass > 0).all()
    np.testing.assert_allclose(dense.sum(1), a, rtol=1e-12, atol=0)
    np.testing.assert_allclose(dense.sum(0), b, rtol=1e-12, atol=0)
    slack = cost - plan.dual_a[:, None] - plan.dual_b
    sizes = np.abs(cost) + np.abs(plan.dual_a)[:, None] + np.abs(plan.dual_b)
    assert (slack >= -1e-15 * sizes).all()
    assert (slack[plan.rows, plan.cols] <= 1e-14 * sizes.max()).all()
    scale = np.abs(cost).max() * a.sum()
    assert 0 <= plan.gap <= 1e-13 * scale
    assert plan.cost == pytest.approx((dense * cost).sum(), rel=1e-13, abs=1e-15 * scale)
    halves = plan.dual_a @ a, plan.dual_b @ b
    assert sum(halves) == pytest.approx(plan.cost, rel=1e-12, abs=1e-13 * scale)
    assert halves[0] == pytest.approx(halves[1], rel=1e-11, abs=1e-13 * scale)


@st.composite
def problems(draw: st.DrawFn, *, square: bool = False) -> Problem:
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    m = n if square else m
    quarters = st.integers(0, 12).map(lambda k: k / 4)
    a, b = (draw(hnp.arrays(np.float64, k, elements=quarters)) for k in (n, m))
    assume(a.sum() > 0)
    assume(b.sum() > 0)
    # Costs with ties, and costs without.
    entries = draw(st.sampled_from([st.integers(-2, 3).map(float), st.floats(-1, 1, width=32), st.just(0.5)]))
    cost = draw(hnp.arrays(np.float64, (n, m), elements=entries))
    return a * b.sum(), b * a.sum(), cost


@given(problem=problems())
def test_is_a_proven_optimum_and_that_of_a_linear_program(problem: Problem) -> None:
    plan = emd(*problem)
    check(*problem, plan)
    # HiGHS takes slopes below 1e-7 for zero; the certificate, which is sharper, is checked above.
    assert plan.cost == pytest.approx(linear_program(*problem), rel=1e-9, abs=1e-7 * problem[0].sum())
    assert emd_cost(*problem) == plan.cost


@given(data=st.data(), n=st.integers(1, 6))
def test_equal_masses_are_the_best_of_all_permutations(data: st.DataObject, n: int) -> None:
    cost = data.draw(hnp.arrays(np.int64, (n, n), elements=st.integers(-5, 9)))
    plan = emd(np.ones(n), np.ones(n), cost)
    best = min(sum(cost[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(n)))
    assert plan.cost == best
    assert (plan.mass == 1).all()
    assert sorted(plan.cols) == list(range(n))


@pytest.mark.parametrize("d", [2, 64])
@pytest.mark.parametrize("n", [100, 401])
def test_equal_masses_are_an_assignment(n: int, d: int) -> None:
    x, y = np.random.default_rng(n + d).normal(size=(2, n, d))
    cost = ((x[:, None] - y) ** 2).sum(-1)
    a = np.full(n, 1 / n)
    plan = emd(a, a, cost)
    check(a, a, cost, plan)
    assert plan.cost == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-13)


@pytest.mark.parametrize(("n", "m"), [(60, 60), (90, 40), (3, 150), (2, 150), (150, 2), (1, 80), (80, 1)])
def test_random_masses_of_any_shape_are_a_linear_program(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    a, b, cost = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.normal(size=(n, m))
    plan = emd(a, b, cost)
    check(a, b, cost, plan)
    assert plan.cost == pytest.approx(linear_program(a, b, cost), rel=1e-9)


@given(problem=problems(), data=st.data())
def test_laws_of_the_problem(problem: Problem, data: st.DataObject) -> None:
    a, b, cost = problem
    value = emd(a, b, cost).cost
    scale = 1e-12 * (1 + np.abs(cost).max()) * a.sum()
    rows, columns = data.draw(st.permutations(range(len(a)))), data.draw(st.permutations(range(len(b))))
    assert emd(a[rows], b[columns], cost[np.ix_(rows, columns)]).cost == pytest.approx(value, abs=scale)
    assert emd(b, a, np.ascontiguousarray(cost.T)).cost == pytest.approx(value, abs=scale)
    r = data.draw(hnp.arrays(np.float64, len(a), elements=st.integers(-4, 4).map(float)))
    s = data.draw(hnp.arrays(np.float64, len(b), elements=st.integers(-4, 4).map(float)))
    assert emd(a, b, cost + r[:, None] + s).cost == pytest.approx(value + a @ r + b @ s, abs=20 * scale)
    twice = np.concatenate([a / 2, a / 2]), b, np.concatenate([cost, cost])
    assert emd(*twice).cost == pytest.approx(value, abs=scale)
    more = np.append(a, 0.0), np.append(0.0, b), np.pad(cost, ((0, 1), (1, 0)), constant_values=-100.0)
    assert emd(*more).cost == pytest.approx(value, abs=scale)


def test_potentials_that_grow_from_nothing_are_allowed_their_rounding() -> None:
    a, b = np.array([5.9375, 4.75]), np.array([6.75, 2.25, 0.5625, 1.125])
    tiny = 1e-45
    cost = np.array([[tiny, np.float32(0.0248447601), np.float32(-0.0763008669), 0.0], [tiny, tiny, -1.2e-38, tiny]])
    plan = emd(a, b, cost)
    check(a, b, cost, plan)
    assert plan.cost == pytest.approx(0.5625 * cost[0, 2], rel=1e-12)


@given(problem=problems(), costs=st.integers(-900, 900), masses=st.integers(-900, 900))
def test_powers_of_two_scale_every_bit(problem: Problem, costs: int, masses: int) -> None:
    assume(abs(costs + masses) < 900)
    a, b, cost = problem
    plan, scaled = emd(a, b, cost), emd(np.ldexp(a, masses), np.ldexp(b, masses), np.ldexp(cost, costs))
    assert scaled.cost == math.ldexp(plan.cost, costs + masses)
    assert scaled.gap == math.ldexp(plan.gap, costs + masses)
    np.testing.assert_array_equal(scaled.cols, plan.cols)
    np.testing.assert_array_equal(scaled.mass, np.ldexp(plan.mass, masses))
    np.testing.assert_array_equal(scaled.dual_a, np.ldexp(plan.dual_a, costs))
    np.testing.assert_array_equal(scaled.dual_b, np.ldexp(plan.dual_b, costs))


@given(data=st.data(), n=st.integers(1, 8))
def test_is_a_metric_where_the_cost_is_one(data: st.DataObject, n: int) -> None:
    points = data.draw(hnp.arrays(np.float64, (n, 2), elements=st.floats(-4, 4)))
    cost = np.sqrt(((points[:, None] - points) ** 2).sum(-1))
    p, q, r = (data.draw(hnp.arrays(np.float64, n, elements=st.floats(1 / 8, 1))) for _ in range(3))
    p, q, r = p / p.sum(), q / q.sum(), r / r.sum()
    assert emd_cost(p, p, cost) <= 1e-14
    assert emd_cost(p, q, cost) == pytest.approx(emd_cost(q, p, cost), abs=1e-13)
    assert emd_cost(p, r, cost) <= emd_cost(p, q, cost) + emd_cost(q, r, cost) + 1e-13


@given(data=st.data(), n=st.integers(1, 12), m=st.integers(1, 12), p=st.sampled_from([1, 2]))
def test_on_the_line_it_is_sorting(data: st.DataObject, n: int, m: int, p: int) -> None:
    x, y = (data.draw(hnp.arrays(np.float64, k, elements=st.integers(-20, 20).map(float))) for k in (n, m))
    expected = (np.abs(np.repeat(np.sort(x), m) - np.repeat(np.sort(y), n)) ** p).mean()
    cost = np.abs(x[:, None] - y) ** p
    assert emd_cost(np.full(n, 1 / n), np.full(m, 1 / m), cost) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("theta", [0.0, 2.0**-60, 0.25, 1.0, 1e3, 2.0**40])
def test_parallel_lines_are_theta_apart(theta: float) -> None:
    k = 64
    z = np.arange(k) / k
    a = np.full(k, 1 / k)
    distance = np.hypot(theta, z[:, None] - z)
    assert emd_cost(a, a, distance) == theta
    square = theta**2 + (z[:, None] - z) ** 2
    assert emd_cost(a, a, square) == theta**2


# Where other libraries give wrong numbers.


def cloud(n: int, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n)), rng.random((n, n))


@pytest.mark.parametrize("scale", [1e-300, 1e-13, 1e-12, 1e-11, 1e12, 1e200])
def test_costs_of_any_scale(scale: float) -> None:
    a, b, cost = cloud(300)
    plan = emd(a, b, cost * scale)
    assert plan.cost == pytest.approx(emd(a, b, cost).cost * scale, rel=1e-12)
    assert plan.gap <= 1e-14 * scale


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("huge", [1e10, 1e12, 1e13, 1e32, 1e300])
def test_a_forbidden_pair_does_not_blur_the_others(huge: float, uniform: bool) -> None:
    a, b, cost = cloud(300)
    if uniform:
        a = b = np.full(300, 1 / 300)
    expected = emd(a, b, cost)
    at = np.flatnonzero(expected.to_dense().ravel() == 0)[[7, 777, 7777]]
    forbidden = cost.copy()
    forbidden.ravel()[at] = huge
    plan = emd(a, b, forbidden)
    assert plan.cost == pytest.approx(expected.cost, rel=1e-13)
    assert plan.gap <= 1e-14
    assert np.abs(plan.dual_a).max() < 10


def test_forbidden_blocks_of_rounded_masses_cost_nothing() -> None:
    a, b = np.array([0.1, 0.2, 0.7]), np.array([0.3, 0.7])
    cost = np.array([[1.0, 1e12], [2.0, 1e12], [1e12, 3.0]])
    assert 0.1 + 0.2 != 0.3
    assert emd_cost(a, b, cost) == pytest.approx(0.1 + 0.4 + 2.1, rel=1e-14)


@pytest.mark.parametrize("tiny", [1e-12, 1e-17, 1e-30, 1e-300, 5e-324])
def test_tiny_masses_pay_their_way(tiny: float) -> None:
    rate = min(1 / tiny, 1e300)
    plan = emd([1.0, tiny], [1.0], [[0.0], [rate]])
    assert plan.cost == pytest.approx(tiny * rate, rel=1e-14)
    plan = emd([1.0, tiny, tiny], [tiny, 1.0, tiny], [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [3.0, 2.0, 1.0]])
    assert plan.cost == tiny
    assert plan.to_dense().tolist() == [[0.0, 1.0, 0.0], [tiny, 0.0, 0.0], [0.0, 0.0, tiny]]
    assert plan.gap == 0


def test_masses_of_all_magnitudes_at_once() -> None:
    rng = np.random.default_rng(0)
    a = 10.0 ** rng.uniform(-300, 0, 60)
    cost = rng.random((60, 60))
    plan = emd(a, a[::-1].copy(), cost)
    check(a, a[::-1], cost, plan)


def test_equal_masses_among_forbidden_pairs() -> None:
    rng = np.random.default_rng(2)
    cost = rng.random((200, 200))
    cost[rng.random(cost.shape) < 0.9] = 1e12
    a = np.ones(200)
    plan = emd(a, a, cost)
    assert plan.cost == pytest.approx(cost[linear_sum_assignment(cost)].sum(), rel=1e-13)
    assert plan.cost < 1e3
    assert plan.gap <= 1e-12 * plan.cost


def test_half_of_the_costs_forbidden() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.integers(0, 5, (2, 12)).astype(float)
        a[0] += max(0, b.sum() - a.sum())
        b[0] += max(0, a.sum() - b.sum())
        cost = np.where(rng.random((12, 12)) < 0.5, 1e12, rng.integers(0, 9, (12, 12)).astype(float))
        check(a, b, cost, emd(a, b, cost))
        reference = linear_program(a, b, cost)
        assert emd_cost(a, b, cost) == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("n", [60, 400])
def test_costs_of_ranks_begin_at_the_right_end(n: int, shuffled: bool) -> None:
    """Costs i j, of which the given order of rows makes the worst plan: it took n^2 / 3 pivots from there."""
    rng = np.random.default_rng(n)
    i, j = (rng.permutation(n) if shuffled else np.arange(n) for _ in range(2))
    masses = np.full(n, 1 / n)
    plan = emd(masses, masses, np.outer(i, j).astype(float))
    assert plan.cost == pytest.approx(float(np.arange(n) @ np.arange(n)[::-1]) / n, rel=1e-12)
    assert plan.iterations <= n
    a, b = rng.dirichlet(np.ones(n), 2)
    check(a, b, np.outer(i, j).astype(float), emd(a, b, np.outer(i, j).astype(float)))


def test_a_signal_stops_a_long_solve() -> None:
    rng = np.random.default_rng(0)
    cost = ((rng.normal(size=(2000, 1, 2)) - rng.normal(size=(2000, 2))) ** 2).sum(-1)
    a, b = rng.dirichlet(np.ones(2000), 2)

    def solve_for_long() -> None:
        # However fast a machine is, the signal comes during a solve: little else is done here.
        for _ in range(200):
            emd(a, b, cost)

    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        solve_for_long()


def test_no_silent_limit_of_iterations_and_an_error_with_the_gap() -> None:
    a, b, cost = cloud(200)
    plan = emd(a, b, cost)
    assert plan.iterations > 100
    with pytest.raises(ConvergenceError, match=r"after 50 pivots the cost is .* and the gap to its lower bound .*e-"):
        emd(a, b, cost, max_iterations=50)
    assert emd(a, b, cost, max_iterations=plan.iterations).cost == plan.cost


def test_duals_of_empty_atoms_are_the_rates_of_adding_mass_there() -> None:
    rng = np.random.default_rng(3)
    a, b, cost = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(6)), rng.random((7, 6))
    a[2] = b[4] = 0
    a, b = a / a.sum(), b / b.sum()
    plan = emd(a, b, cost)
    assert plan.dual_a[2] == pytest.approx((cost[2] - plan.dual_b).min(), abs=1e-15)
    step = 1e-7
    moved = a.copy()
    moved[2] += step
    moved[0] -= step
    slope = (emd_cost(moved, b, cost) - plan.cost) / step
    assert plan.dual_a[2] - plan.dual_a[0] == pytest.approx(slope, abs=1e-7)


def test_float32_is_read_as_it_is() -> None:
    a, b, cost = (x.astype(np.float32) for x in cloud(50))
    plan = emd(a, b, cost)
    wide = emd(a.astype(float), b.astype(float) * (a.astype(float).sum() / b.astype(float).sum()), cost.astype(float))
    assert plan.cost == pytest.approx(wide.cost, rel=1e-9)
    a, b, _ = cloud(50)
    assert emd(a, b, cost).cost == emd(a, b, cost.astype(float)).cost


def test_no_copy_of_the_costs_is_made() -> None:
    code = """
import resource
import numpy as np
from gancore.kernels.emd import emd
n = 1500
rng = np.random.default_rng(0)
a = np.full(n, 1 / n)
cost = rng.random((n, n), dtype=np.float32)
emd(a[:9] / a[:9].sum(), a[:9] / a[:9].sum(), np.ascontiguousarray(cost[:9, :9]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
emd(a, a, cost)
emd(a + a * cost[0] / 1e3, a + a * cost[0] / 1e3, cost)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # The matrix itself has 9 MB; a float64 copy would have 18.
    assert int(done.stdout) < 5000


def test_normalize_rescales_both_sides() -> None:
    a, b, cost = cloud(9)
    plan = emd(3 * a, 7 * b, cost, normalize=True)
    assert plan.cost == pytest.approx(emd_cost(a, b, cost), rel=1e-14)
    assert plan.mass.sum() == pytest.approx(1, rel=1e-14)


def test_one_atom_on_each_side() -> None:
    plan = emd([2.0], [2.0], [[-3.0]])
    assert (plan.cost, plan.gap, plan.mass.tolist()) == (-6.0, 0.0, [2.0])
    assert plan.dual_a + plan.dual_b == -3.0


# Gradients.


def as_tensors(problem: Problem) -> list[torch.Tensor]:
    return [torch.tensor(x, requires_grad=True) for x in problem]


def test_gradients_are_duals_and_plan() -> None:
    problem = cloud(12)
    plan = emd(*problem)
    a, b, cost = as_tensors(problem)
    value = emd_cost(a, b, cost)
    assert value.dtype == torch.float64
    assert value.item() == plan.cost
    value.backward()
    assert a.grad is not None and b.grad is not None and cost.grad is not None  # noqa: PT018
    np.testing.assert_array_equal(a.grad, plan.dual_a)
    np.testing.assert_array_equal(b.grad, plan.dual_b)
    np.testing.assert_array_equal(cost.grad, plan.to_dense())


def test_gradients_are_those_of_finite_differences() -> None:
    a, b, cost = as_tensors(cloud(6, seed=5))
    check = torch.autograd.gradcheck
    assert check(lambda c: emd_cost(a.detach(), b.detach(), c), (cost,))
    assert check(lambda x: emd_cost(x.softmax(0), b.detach(), cost.detach()), (a,))
    assert check(lambda y: emd_cost(a.detach(), y.softmax(0), cost.detach()), (b,))
    assert check(lambda x, y: emd_cost(x, y, cost.detach(), normalize=True), (a, b))
    # Scaled together the masses stay balanced, and the slope is the cost itself.
    scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    assert check(lambda s: emd_cost(s * a.detach(), s * b.detach(), cost.detach()), (scale,))


def test_batches_share_costs_or_bring_their_own() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.dirichlet(np.ones(5), (2, 3)), rng.dirichlet(np.ones(4), (2, 3))
    own = rng.random((2, 3, 5, 4))
    values = emd_cost(a, b, own)
    shared = emd_cost(a, b, own[0, 0])
    assert values.shape == shared.shape == (2, 3)
    for at in np.ndindex(2, 3):
        assert values[at] == emd(a[at], b[at], own[at]).cost
        assert shared[at] == emd(a[at], b[at], own[0, 0]).cost
    for cost in (own, own[0, 0]):
        x, y, c = as_tensors((a, b, cost))
        np.testing.assert_array_equal(emd_cost(x.detach(), y.detach(), c.detach()), emd_cost(a, b, cost))
        assert torch.autograd.gradcheck(lambda x, y, c: emd_cost(x, y, c, normalize=True), (x, y, c))
    bad = a.copy()
    bad[1, 0, 3] = -1
    with pytest.raises(DomainError, match="`a` must have finite masses >= 0; got -1 at index 3 of problem 3"):
        emd_cost(bad, b, own)
    assert emd_cost(a[:0], b[:0], own[0, 0]).shape == (0, 3)


def test_gradients_keep_the_dtype_and_skip_what_needs_none() -> None:
    a, b, cost = (torch.tensor(x, dtype=torch.float32) for x in cloud(5))
    cost.requires_grad_()
    emd_cost(a, b, cost, normalize=True).backward()
    assert cost.grad is not None
    assert cost.grad.dtype == torch.float32
    assert a.grad is None


def test_a_second_derivative_is_refused() -> None:
    a, b, cost = as_tensors(cloud(4))
    (slope,) = torch.autograd.grad(emd_cost(a, b, cost), cost, create_graph=True)
    with pytest.raises(BackendError, match="no second derivative"):
        slope.square().sum().backward()


def test_plans_of_tensors_are_tensors_without_gradients() -> None:
    a, b, cost = (torch.tensor(x) for x in cloud(4))
    plan = emd(a, b, cost)
    assert isinstance(plan.mass, torch.Tensor)
    torch.testing.assert_close(plan.to_dense().sum(1), a)
    assert isinstance(emd_cost(a, b, cost), torch.Tensor)
    with pytest.raises(BackendError, match="emd has no gradient, and `cost` requires one"):
        emd(a, b, cost.requires_grad_())


@pytest.mark.gpu
def test_tensors_on_a_gpu_are_refused_with_advice() -> None:
    tensors = [torch.tensor(x).cuda() for x in cloud(4)]
    for function in (emd, emd_cost):
        with pytest.raises(BackendError, match=r"a\.cpu\(\)"):
            function(*tensors)


# Bad input.

HALF = [0.5, 0.5]
ZEROS = [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("function", [emd, emd_cost])
@pytest.mark.parametrize(
    ("a", "b", "cost", "error", "words"),
    [
        ([], [], np.zeros((0, 0)), ShapeError, "`a` must have at least one mass"),
        (HALF, [], np.zeros((2, 0)), ShapeError, "`b` must have at least one mass"),
        (HALF, HALF, [[0.0, 0.0]], ShapeError, "`cost` must have shape"),
        (0.5, HALF, ZEROS, ShapeError, "`a` must have shape"),
        ([0.5, math.nan], HALF, ZEROS, DomainError, "`a` must have finite masses >= 0; got NaN at index 1"),
        (HALF, [-0.1, 1.1], ZEROS, DomainError, r"`b` must have finite masses >= 0; got -0\.1 at index 0"),
        (HALF, [0.5, math.inf], ZEROS, DomainError, "`b` must have finite masses >= 0; got inf at index 1"),
        ([0.0, 0.0], HALF, ZEROS, DomainError, "`a` must have a positive, finite total mass; got 0"),
        ([1e308, 1e308], HALF, ZEROS, DomainError, "`a` must have a positive, finite total mass; got inf"),
        (HALF, [0.5, 0.50001], ZEROS, DomainError, r"total mass of `a` .*; got total 1\.00001, where .* `a` is 1"),
        (HALF, HALF, [[math.nan, 0.0], [0.0, 0.0]], DomainError, r"`cost` must be finite .*; got NaN at \(0, 0\)"),
        (HALF, HALF, [[0.0, 0.0], [0.0, math.nan]], DomainError, r"`cost` must be finite .*; got NaN at \(1, 1\)"),
        (HALF, HALF, [[0.0, math.inf], [0.0, 0.0]], DomainError, r"forbidden .*; got inf at \(0, 1\)"),
        (HALF, HALF, [[0.0, 0.0], [-math.inf, 0.0]], DomainError, r"`cost` must be finite .*; got -inf at \(1, 0\)"),
        (HALF, HALF, [[0.0, 0.0], [1e305, 0.0]], DomainError, r"below 2\^1000 .*; got 1e305 at \(1, 0\)"),
        (HALF, HALF, np.zeros((2, 2), complex), DTypeError, "`cost` must hold float32 or float64"),
    ],
)
def test_bad_input_is_named(function, a, b, cost, error, words) -> None:
    with pytest.raises(error, match=words):
        function(np.asarray(a), np.asarray(b), np.asarray(cost))


def test_bad_input_of_gradients_and_settings_is_named() -> None:
    half, zeros = torch.tensor(HALF, requires_grad=True), torch.zeros(2, 2)
    with pytest.raises(ShapeError, match="`cost` must have shape"):
        emd_cost(half, half, zeros[:1])
    with pytest.raises(ShapeError, match="`b` must have at least one mass"):
        emd_cost(half, half[:0], zeros[:, :0])
    with pytest.raises(ShapeError, match="`b` must have the leading axes of `a`"):
        emd_cost(half, half.expand(3, 2), zeros)
    with pytest.raises(DTypeError, match="`cost` must be a torch tensor"):
        emd_cost(half, half, zeros.numpy())
    with pytest.raises(DTypeError, match="max_iterations"):
        emd(HALF, HALF, ZEROS, max_iterations=1.5)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="max_iterations: expected at least 0"):
        emd(HALF, HALF, ZEROS, max_iterations=-1)
