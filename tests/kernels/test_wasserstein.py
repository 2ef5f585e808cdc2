"""Transport on the line and on the circle against SciPy, linear programs, enumeration and its laws; and the twin."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment, linprog
from scipy.stats import wasserstein_distance

import gancore
from gancore.errors import BackendError, DomainError, DTypeError, ShapeError
from gancore.kernels import _line
from gancore.kernels._torch import wasserstein as twin
from gancore.kernels.wasserstein import coupling_1d, cramer_distance, wasserstein_1d, wasserstein_circle

values = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3))
points = hnp.arrays(np.float64, st.integers(1, 30), elements=values)
orders = st.sampled_from([1.0, 1.5, 2.0, 3.0, math.inf])


@st.composite
def weighted(draw: st.DrawFn, most: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Points and integer weights, some of them zero, of total 60."""
    n = draw(st.integers(1, most))
    x = draw(hnp.arrays(np.float64, n, elements=values))
    cuts = sorted(draw(st.lists(st.integers(0, 60), min_size=n - 1, max_size=n - 1)))
    return x, np.diff([0, *cuts, 60]).astype(float)


def program(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, p: float) -> float:
    """W_p^p by a linear program."""
    n, m = len(x), len(y)
    rows = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    cost = np.abs(x[:, None] - y).ravel() ** p
    return float(linprog(cost, A_eq=rows, b_eq=np.concatenate([a, b])).fun)


@given(x=points, y=points)
def test_agrees_with_scipy(x: np.ndarray, y: np.ndarray) -> None:
    assert wasserstein_1d(x, y) == pytest.approx(wasserstein_distance(x, y), rel=1e-12, abs=1e-12)


@given(one=weighted(), two=weighted())
def test_weighted_agrees_with_scipy(one: tuple[np.ndarray, ...], two: tuple[np.ndarray, ...]) -> None:
    (x, a), (y, b) = one, two
    expected = wasserstein_distance(x, y, a, b)
    assert wasserstein_1d(x, y, x_weights=a, y_weights=b) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    expected = wasserstein_distance(x, y, a)
    assert wasserstein_1d(x, y, x_weights=a) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert wasserstein_1d(y, x, y_weights=a) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(one=weighted(6), two=weighted(6), p=st.sampled_from([1.0, 1.5, 2.0]))
def test_agrees_with_a_linear_program(one: tuple[np.ndarray, ...], two: tuple[np.ndarray, ...], p: float) -> None:
    (x, a), (y, b) = one, two
    x, y = x / 100, y / 100
    expected = program(x, y, a / 60, b / 60, p)
    assert wasserstein_1d(x, y, p=p, x_weights=a, y_weights=b) ** p == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(data=st.data(), p=st.sampled_from([1.0, 2.0, 3.0]))
def test_agrees_with_the_best_assignment(data: st.DataObject, p: float) -> None:
    n = data.draw(st.integers(1, 8))
    x, y = (data.draw(hnp.arrays(np.float64, n, elements=st.floats(-10, 10))) for _ in range(2))
    cost = np.abs(x[:, None] - y) ** p
    expected = cost[linear_sum_assignment(cost)].mean() ** (1 / p)
    assert wasserstein_1d(x, y, p=p) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(x=points, y=points, p=orders, shift=st.integers(-100, 100))
def test_laws_of_a_distance_on_the_line(x: np.ndarray, y: np.ndarray, p: float, shift: int) -> None:
    value = wasserstein_1d(x, y, p=p)
    assert wasserstein_1d(x, x, p=p) == 0
    assert wasserstein_1d(y, x, p=p) == pytest.approx(value, rel=1e-12)
    assert value <= wasserstein_1d(x, y, p=p + 1) * (1 + 1e-12)
    assert wasserstein_1d(x, x + shift, p=p) == pytest.approx(abs(shift), rel=1e-9)
    assert value >= abs(x.mean() - y.mean()) * (1 - 1e-9) - 1e-9
    assert wasserstein_1d(4 * x, 4 * y, p=p) == 4 * value


@given(one=weighted(), two=weighted(), three=weighted(), p=orders)
def test_weighted_triangle_inequality(one: tuple, two: tuple, three: tuple, p: float) -> None:
    def distance(left: tuple, right: tuple) -> float:
        return wasserstein_1d(left[0], right[0], p=p, x_weights=left[1], y_weights=right[1])

    assert distance(one, three) <= (distance(one, two) + distance(two, three)) * (1 + 1e-12)
    assert distance(one, one) == 0


@given(one=weighted(), two=weighted(), p=orders, seed=st.integers(0, 100))
def test_order_of_atoms_and_splitting_one_change_nothing(one: tuple, two: tuple, p: float, seed: int) -> None:
    (x, a), (y, b) = one, two
    value = wasserstein_1d(x, y, p=p, x_weights=a, y_weights=b)
    order = np.random.default_rng(seed).permutation(len(x))
    assert wasserstein_1d(x[order], y, p=p, x_weights=a[order], y_weights=b) == pytest.approx(value, rel=1e-12)
    split_x, split_a = np.append(x, x[0]), np.append(a, a[0] / 4)
    split_a[0] *= 0.75
    assert wasserstein_1d(split_x, y, p=p, x_weights=split_a, y_weights=b) == pytest.approx(value, rel=1e-12)
    atoms = np.repeat(x, a.astype(int)), np.repeat(y, b.astype(int))
    assert wasserstein_1d(*atoms, p=p) == pytest.approx(value, rel=1e-12)
    assert wasserstein_1d(x, y, p=p, x_weights=a / 128, y_weights=b / 128) == pytest.approx(value, rel=1e-12)


@given(one=weighted(), two=weighted())
def test_w1_and_cramer_are_integrals_of_the_difference_of_distributions(one: tuple, two: tuple) -> None:
    (x, a), (y, b) = one, two
    at = np.unique(np.concatenate([x, y]))
    height = np.array([a[x <= t].sum() / 60 - b[y <= t].sum() / 60 for t in at[:-1]])
    gaps = np.diff(at)
    weights = {"x_weights": a, "y_weights": b}
    assert wasserstein_1d(x, y, **weights) == pytest.approx((abs(height) * gaps).sum(), rel=1e-12, abs=1e-12)
    expected = math.sqrt((height**2 * gaps).sum())
    assert cramer_distance(x, y, **weights) == pytest.approx(expected, rel=1e-12, abs=1e-7)
    atoms = np.repeat(x, a.astype(int)), np.repeat(y, b.astype(int))
    assert cramer_distance(*atoms) == pytest.approx(expected, rel=1e-12, abs=1e-7)


def test_no_phantom_mass_between_levels_that_are_equal_in_theory() -> None:
    far = np.array([0.0, 1.0, 1e12])
    for p in (1.0, 2.0, 538.0, math.inf):
        ninths = wasserstein_1d(far, np.repeat(far, 3), p=p, x_weights=np.full(3, 1 / 3), y_weights=np.full(9, 1 / 9))
        assert ninths == 0
        assert wasserstein_1d(far, np.repeat(far, 7), p=p) == 0
        assert wasserstein_1d(far, np.repeat(far, 7), p=p, x_weights=np.full(3, 0.1)) == 0
    # Levels that only rounding tells apart do not count for W_inf, but an atom of its own does, however light.
    x, y = np.array([0.0, 1.0, 5.0]), np.array([0.0, 0.0, 1.0, 5.0])
    split = {"x_weights": [0.1 + 0.2, 0.4, 0.3], "y_weights": [0.1, 0.2, 0.4, 0.3]}
    assert wasserstein_1d(x, y, p=math.inf, **split) == 0
    assert wasserstein_1d([0.0, 7.0], [0.0], p=math.inf, x_weights=[1.0, 1e-300], y_weights=[1.0]) == 7


def test_masses_far_below_the_others_count() -> None:
    assert wasserstein_1d([0.0, 1e40], [0.0], x_weights=[1.0, 1e-40], y_weights=[1.0]) == pytest.approx(1.0, rel=1e-15)
    light = {"x_weights": [0.5, 1e-40, 0.5], "y_weights": [0.5, 0.5]}
    assert wasserstein_1d([0.0, 1.0, 1e40], [0.0, 1e40], **light) == pytest.approx(1.0, rel=1e-15)
    tiny = {"x_weights": [1e-300, 2e-300], "y_weights": [3e-300]}
    assert wasserstein_1d([0.0, 3.0], [0.0], **tiny) == pytest.approx(2.0, rel=1e-15)


def test_errors_are_a_few_ulp_at_ten_million_points() -> None:
    n = 10_000_000
    x = np.arange(n, dtype=np.float64)
    assert wasserstein_1d(x, x + 0.5) == 0.5
    ones = np.full(n, 1 / n)
    value = wasserstein_1d(x, x + 0.1, x_weights=ones, y_weights=ones[::-1])
    assert value == pytest.approx(float(np.mean((x + 0.1) - x)), rel=4e-16)


def test_huge_orders_do_not_underflow() -> None:
    assert wasserstein_1d([0.0, 0.0], [0.0, 1e-3], p=538) == pytest.approx(1e-3 * 0.5 ** (1 / 538), rel=1e-15)
    weights = {"x_weights": [1, 1], "y_weights": [1, 1]}
    assert wasserstein_1d([0.0, 0.0], [0.0, 1e-3], p=538, **weights) == pytest.approx(
        1e-3 * 0.5 ** (1 / 538), rel=1e-15
    )
    assert wasserstein_circle([0.0, 0.0], [0.0, 1e-3], p=538) == pytest.approx(1e-3 * 0.5 ** (1 / 538), rel=1e-12)


def test_parallel_lines_are_theta_apart_to_the_last_bit() -> None:
    z = np.arange(64) / 64
    for theta in (0.125, 1.0, 1024.0):
        for p in (1.0, 2.0, math.inf):
            assert wasserstein_1d(z, z + theta, p=p) == theta
            assert wasserstein_1d(z, z + theta, p=p, x_weights=np.ones(64), y_weights=np.full(64, 1.0)) == theta
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    wasserstein_1d(x, torch.full((1,), 3.0, dtype=torch.float64)).backward()
    assert x.grad is not None
    assert x.grad.item() == -1


@given(one=weighted(), two=weighted(), p=st.sampled_from([1.0, 1.5, 2.0]))
def test_the_coupling_has_its_marginals_and_its_duals_prove_it(one: tuple, two: tuple, p: float) -> None:
    (x, a), (y, b) = one, two
    found = coupling_1d(x, y, p=p, x_weights=a, y_weights=b)
    assert len(found.mass) <= len(x) + len(y) - 1
    assert (found.mass > 0).all()
    np.testing.assert_allclose(np.bincount(found.rows, found.mass, len(x)), a / 60, atol=1e-15)
    np.testing.assert_allclose(np.bincount(found.cols, found.mass, len(y)), b / 60, atol=1e-15)
    cost = np.abs(x[:, None] - y) ** p
    scale = max(cost.max(), 1.0)
    slack = cost - found.dual_x[:, None] - found.dual_y
    assert slack.min() >= -1e-12 * scale
    np.testing.assert_allclose(slack[found.rows, found.cols], 0, atol=1e-12 * scale)
    primal = (found.mass * cost[found.rows, found.cols]).sum()
    assert (a @ found.dual_x + b @ found.dual_y) / 60 == pytest.approx(primal, abs=1e-12 * scale)
    assert wasserstein_1d(x, y, p=p, x_weights=a, y_weights=b) ** p == pytest.approx(primal, rel=1e-12, abs=1e-300)


def test_couplings_take_one_row_and_a_cost_that_is_finite() -> None:
    assert coupling_1d([1.0], [1.0]).mass.tolist() == [1.0]
    with pytest.raises(ShapeError, match="`x`"):
        coupling_1d([[1.0]], [[1.0]])
    for p in (math.inf, 400.0):
        with pytest.raises(DomainError, match="`p`"):
            coupling_1d([0.0], [1e3], p=p)
    with pytest.raises(BackendError, match="coupling_1d"):
        coupling_1d(torch.ones(1, requires_grad=True), torch.ones(1))


def turned(x: np.ndarray, y: np.ndarray, p: float, period: float) -> float:
    """W_p on the circle by all rotations of matched atoms."""
    x, y = np.sort(x % period), np.sort(y % period)
    n = len(x)
    lifted = np.concatenate([y - period, y, y + period])
    gaps = [np.abs(x - lifted[k : k + n]) for k in range(2 * n + 1)]
    return float(min(gap.max() if p == math.inf else (gap**p).mean() ** (1 / p) for gap in gaps))


@given(data=st.data(), p=orders, period=st.sampled_from([1.0, 2 * math.pi, 360.0]))
def test_circle_agrees_with_all_rotations(data: st.DataObject, p: float, period: float) -> None:
    n = data.draw(st.integers(1, 9))
    steps = st.one_of(st.integers(0, 8).map(lambda k: k / 8), st.floats(-2, 2))
    x, y = (period * data.draw(hnp.arrays(np.float64, n, elements=steps)) for _ in range(2))
    assert wasserstein_circle(x, y, p=p, period=period) == pytest.approx(turned(x, y, p, period), rel=1e-9, abs=1e-9)


@given(one=weighted(6), two=weighted(6), p=st.sampled_from([1.0, 2.0, 3.0, math.inf]))
def test_weighted_circle_agrees_with_repeated_atoms_and_a_linear_program(one: tuple, two: tuple, p: float) -> None:
    (x, a), (y, b) = one, two
    x, y = x % 8, y % 8
    value = wasserstein_circle(x, y, p=p, period=8, x_weights=a, y_weights=b)
    atoms = np.repeat(x, a.astype(int)), np.repeat(y, b.astype(int))
    assert wasserstein_circle(*atoms, p=p, period=8) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert turned(*atoms, p, 8) == pytest.approx(value, rel=1e-9, abs=1e-9)
    order = x[::-1] + 16, y - 8
    again = wasserstein_circle(*order, p=p, period=8, x_weights=a[::-1], y_weights=b)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(x=points, y=points, p=orders, angle=st.floats(-3, 3))
def test_laws_of_a_distance_on_the_circle(x: np.ndarray, y: np.ndarray, p: float, angle: float) -> None:
    value = wasserstein_circle(x, y, p=p, period=7)
    assert 0 <= value <= 3.5
    assert wasserstein_circle(y, x, p=p, period=7) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert wasserstein_circle(x, x, p=p, period=7) == 0
    assert value <= wasserstein_1d(x % 7, y % 7, p=p) * (1 + 1e-12)
    if p > 1:
        assert wasserstein_circle(x, y, p=1, period=7) <= value * (1 + 1e-9) + 1e-12
    assert wasserstein_circle(x + angle, y + angle, p=p, period=7) == pytest.approx(value, rel=1e-6, abs=1e-6)


@given(one=weighted(), two=weighted(), p=orders)
def test_twin_agrees_with_the_kernel(one: tuple, two: tuple, p: float) -> None:
    (x, a), (y, b) = one, two
    weights = {"x_weights": a, "y_weights": b}
    tensors = {name: torch.from_numpy(weight) for name, weight in weights.items()}
    x_tensor, y_tensor = torch.from_numpy(x), torch.from_numpy(y)
    close = {"rel": 1e-10, "abs": 1e-10}
    assert twin.wasserstein_1d(x_tensor, y_tensor, p=p).item() == pytest.approx(wasserstein_1d(x, y, p=p), **close)
    # Powers feel masses of a rounding, as 1.1e-16^(1/p).
    close = {"rel": 1e-6, "abs": 1e-3 if 1 < p < math.inf else 1e-9}
    value = twin.wasserstein_1d(x_tensor, y_tensor, p=p, **tensors).item()
    assert value == pytest.approx(wasserstein_1d(x, y, p=p, **weights), **close)
    assert twin.cramer_distance(x_tensor, y_tensor, **tensors).item() == pytest.approx(
        cramer_distance(x, y, **weights), rel=1e-6, abs=1e-6
    )
    assert twin.wasserstein_circle(x_tensor, y_tensor, p=1.0, period=7.0, **tensors).item() == pytest.approx(
        wasserstein_circle(x, y, period=7, **weights), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("m", [5, 3])
def test_gradients_are_those_of_finite_differences(p: float, m: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x, a = torch.randn(2, 2, 5, generator=generator, dtype=torch.float64).unbind()
    y, b = torch.randn(2, 2, m, generator=generator, dtype=torch.float64).unbind()
    inputs = tuple(tensor.clone().requires_grad_() for tensor in (x, y, a, b))
    assert torch.autograd.gradcheck(lambda x, y: wasserstein_1d(x, y, p=p), inputs[:2])
    weights = {"x_weights": a.softmax(-1), "y_weights": b.softmax(-1)}
    assert torch.autograd.gradcheck(lambda x, y: wasserstein_1d(x, y, p=p, **weights), inputs[:2])

    def of_all(x: torch.Tensor, y: torch.Tensor, a: torch.Tensor, b: torch.Tensor, function=wasserstein_1d, **rest):
        return function(x, y, x_weights=a.softmax(-1), y_weights=b.softmax(-1), **rest)

    assert torch.autograd.gradcheck(lambda *args: of_all(*args, p=p), inputs)
    assert torch.autograd.gradcheck(lambda *args: of_all(*args, function=cramer_distance), inputs)
    assert torch.autograd.gradcheck(lambda *args: of_all(*args, function=wasserstein_circle, period=3.0, p=p), inputs)
    assert torch.autograd.gradcheck(lambda x, y: wasserstein_circle(x, y, p=p, period=3.0), inputs[:2])


@given(data=st.data(), p=st.sampled_from([1.0, 2.0]))
def test_gradients_in_weights_are_subgradients_on_ties_and_at_zero_mass(data: st.DataObject, p: float) -> None:
    n, m = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 6))
    x, y = (data.draw(hnp.arrays(np.float64, k, elements=st.integers(-3, 3).map(float))) for k in (n, m))
    counts = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 2)))
    a = np.ones(n) / n if counts.sum() == 0 else counts / counts.sum()
    weights = torch.from_numpy(a).requires_grad_()
    uniform = torch.full((m,), 1 / m, dtype=torch.float64)
    cost = wasserstein_1d(torch.from_numpy(x), torch.from_numpy(y), p=p, x_weights=weights, y_weights=uniform) ** p
    (gradient,) = torch.autograd.grad(cost, weights)

    def exact(a: np.ndarray) -> float:
        return wasserstein_1d(x, y, p=p, x_weights=a, y_weights=np.ones(m) / m) ** p

    # W_p^p is convex in the weights: no other weights lie below the tangent plane.
    for i in range(n):
        for j in range(n):
            h = min(1e-3, a[j])
            moved = a.copy()
            moved[i] += h
            moved[j] -= h
            rise = gradient.numpy() @ (moved - a) if cost > 0 else 0.0
            assert exact(moved) >= exact(a) + rise - 1e-9


def test_gradients_at_equal_uniform_weights_are_not_zero() -> None:
    weights = torch.full((3,), 1 / 3, dtype=torch.float64, requires_grad=True)
    x, y = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([5.0, 6.0, 7.0]).double()
    wasserstein_1d(x, y, x_weights=weights, y_weights=torch.full((3,), 1 / 3).double()).backward()
    # All of x lies below all of y, so W_1 is the difference of the means.
    assert weights.grad is not None
    torch.testing.assert_close(weights.grad, torch.tensor([1.0, 0.0, -1.0]).double())


def test_gradient_where_the_samples_agree_is_finite() -> None:
    for function, settings in ((wasserstein_1d, {"p": 2}), (cramer_distance, {})):
        x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        function(x, torch.zeros(3, dtype=torch.float64), **settings).backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()


@given(data=st.data(), p=st.sampled_from([1.0, 1.5, 2.0, 4.0, math.inf]))
def test_the_twin_on_the_circle_cuts_where_the_kernel_does(data: st.DataObject, p: float) -> None:
    n, m = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    points = st.one_of(st.integers(-9, 9).map(float), st.floats(-20, 20))
    x, y = (data.draw(hnp.arrays(np.float64, k, elements=points)) for k in (n, m))
    weights = {}
    if data.draw(st.booleans()):
        counts = [data.draw(hnp.arrays(np.int64, k, elements=st.integers(0, 3))) for k in (n, m)]
        a, b = (np.ones(len(count)) if count.sum() == 0 else count.astype(float) for count in counts)
        weights = {"x_weights": a * b.sum(), "y_weights": b * a.sum()}
    expected = wasserstein_circle(x, y, p=p, period=7, **weights)
    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
    value = twin.wasserstein_circle(torch.from_numpy(x), torch.from_numpy(y), p=p, period=7.0, **tensors)
    # Powers feel masses of a rounding, as 1.1e-16^(1/p).
    slack = {1.0: 1e-9, math.inf: 1e-9, 4.0: 1e-3}.get(p, 1e-6) if weights else 1e-9
    assert value.item() == pytest.approx(expected, rel=slack, abs=slack)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_gradients_on_the_circle_do_not_see_where_it_begins(p: float) -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.rand(k, generator=generator, dtype=torch.float64) * 5 for k in (6, 4))
    a, b = (torch.rand(k, generator=generator, dtype=torch.float64).softmax(-1) for k in (6, 4))

    def gradients(shift: float) -> tuple[torch.Tensor, ...]:
        inputs = [(x + shift).requires_grad_(), (y + shift).requires_grad_()]
        inputs += [a.clone().requires_grad_(), b.clone().requires_grad_()]
        value = wasserstein_circle(*inputs[:2], p=p, period=5.0, x_weights=inputs[2], y_weights=inputs[3])
        on_x, on_y, on_a, on_b = torch.autograd.grad(value, inputs)
        return on_x, on_y, on_a, on_b

    for here, there in zip(gradients(0.0), gradients(2.3), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-7, atol=1e-9)


def test_rows_are_answered_one_by_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 40)), rng.normal(size=(2, 3, 25))
    a, b = rng.dirichlet(np.ones(40), (2, 3)), rng.dirichlet(np.ones(25), (2, 3))
    weights, one = {"x_weights": a, "y_weights": b}, {"x_weights": a[1, 2], "y_weights": b[1, 2]}
    for function, settings in (
        (wasserstein_1d, {"p": 2}),
        (wasserstein_1d, {"p": 2, **weights}),
        (wasserstein_circle, {"p": 2, "period": 2, **weights}),
        (cramer_distance, weights),
    ):
        value = function(x, y, **settings)
        assert value.shape == (2, 3)
        assert value[1, 2] == function(x[1, 2], y[1, 2], **{**settings, **(one if "x_weights" in settings else {})})


def test_sorting_by_numpy_or_by_the_kernel_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.default_rng(0).standard_cauchy(size=(2, 40_000))
    answers = []
    for fast in (True, False):
        monkeypatch.setattr(_line, "_NUMPY_SORTS_FAST", fast)
        answers += [wasserstein_1d(x.astype(kind), y[1:].astype(kind), p=1.5) for kind in (np.float64, np.float32)]
    assert answers[:2] == answers[2:]
    assert np.array_equal(x, np.random.default_rng(0).standard_cauchy(size=(2, 40_000))[0]), "the input is not sorted"


def test_threads_do_not_change_a_bit() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 30, 3000))
    before = gancore.num_threads()
    try:
        answers = []
        for threads in (1, 3):
            gancore.set_num_threads(threads)
            answers.append((wasserstein_1d(x, y), wasserstein_1d(x[0], y[0], x_weights=np.ones(3000))))
        assert np.array_equal(answers[0][0], answers[1][0])
        assert answers[0][1] == answers[1][1]
    finally:
        gancore.set_num_threads(before)


def test_output_kind_is_input_kind() -> None:
    x = np.arange(3, dtype=np.float32)
    assert isinstance(wasserstein_1d(x, x), float)
    assert wasserstein_1d(torch.from_numpy(x), torch.from_numpy(x)).dtype == torch.float64
    with pytest.raises(DTypeError, match="`x_weights`"):
        wasserstein_1d(torch.ones(2), torch.ones(2), x_weights=np.ones(2))


@pytest.mark.parametrize("as_kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("x", "error"), [([math.nan], DomainError), ([math.inf, 0.0], DomainError), ([], ShapeError), ([[0.0]], ShapeError)]
)
@pytest.mark.parametrize("function", [wasserstein_1d, wasserstein_circle, cramer_distance, coupling_1d])
def test_what_is_no_sample_is_refused_by_name(as_kind, x, error, function) -> None:
    x, y = as_kind(np.array(x)), as_kind(np.array([0.0]))
    with pytest.raises(error, match=r"`[xy]`"):
        function(x, y)
    if as_kind is torch.as_tensor and function is not coupling_1d:
        with pytest.raises(error, match=r"`[xy]`"):
            function(x.double().requires_grad_(), y)


def test_the_first_point_that_is_not_finite_is_named_in_a_long_sample() -> None:
    x = np.zeros(10_000)
    x[[77, 78]] = math.nan, -math.inf
    for bad, value in ((x, "NaN"), (-x, "NaN"), (np.where(np.isnan(x), 0, x), "-inf")):
        with pytest.raises(DomainError, match=rf"`y` .* got {value} at index 7[78]"):
            wasserstein_1d(np.zeros(3), bad)


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([0.5, math.nan], r"`x_weights` .* nan at index 1"),
        ([0.5, math.inf], r"`x_weights` .* inf at index 1"),
        ([-0.5, 1.5], r"`x_weights` .* -0.5 at index 0"),
        ([0.0, 0.0], r"`x_weights` .* positive total"),
        ([1e308, 1.7e308], r"`x_weights` .* finite total"),
        ([2.0, 2.0], r"`y_weights` .* total of `x_weights`, 4(\.0)?; got 1"),
    ],
)
def test_weights_that_are_none_are_refused_by_index(weights: list[float], match: str, grad: bool) -> None:
    arrays = {"x": np.zeros(2), "y": np.zeros(1), "x_weights": np.array(weights), "y_weights": np.ones(1)}
    if grad:
        arrays = {name: torch.from_numpy(array).requires_grad_() for name, array in arrays.items()}
    with pytest.raises(DomainError, match=f"(?i){match}"):
        wasserstein_1d(**arrays)


def test_weights_have_the_shape_of_their_points() -> None:
    for weights in (np.ones(3), np.ones((1, 2))):
        with pytest.raises(ShapeError, match="`y_weights`"):
            wasserstein_1d([0.0], [1.0, 2.0], y_weights=weights)
        with pytest.raises(ShapeError, match="`y_weights`"):
            twin.wasserstein_1d(torch.zeros(1), torch.ones(2), y_weights=torch.from_numpy(weights), p=1.0)
    with pytest.raises(DomainError, match="row 1, index 0"):
        wasserstein_1d(np.zeros((2, 1)), np.zeros((2, 1)), x_weights=[[1.0], [-1.0]])


def test_settings_out_of_range_are_refused() -> None:
    for p in (0.5, math.nan, -1.0):
        for function in (wasserstein_1d, wasserstein_circle, coupling_1d):
            with pytest.raises(DomainError, match="`p`"):
                function([0.0], [1.0], p=p)
    with pytest.raises(DTypeError, match="`p`"):
        wasserstein_1d([0.0], [1.0], p="2")
    for period in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(DomainError, match="period"):
            wasserstein_circle([0.0], [1.0], period=period)


@given(one=weighted(), two=weighted())
def test_w1_of_fractions_is_correctly_rounded_but_for_a_few_ulp(one: tuple, two: tuple) -> None:
    (x, a), (y, b) = one, two
    found = coupling_1d(x, y, x_weights=a, y_weights=b)
    exact = sum(
        (
            Fraction(round(mass * 60)) / 60 * abs(Fraction(x[i]) - Fraction(y[j]))
            for i, j, mass in zip(found.rows.tolist(), found.cols.tolist(), found.mass.tolist(), strict=True)
        ),
        Fraction(0),
    )
    assert abs(Fraction(wasserstein_1d(x, y, x_weights=a, y_weights=b)) - exact) <= exact * Fraction(6, 2**53)


@pytest.mark.parametrize(("n", "m"), [(700, 500), (20_000, 9_000)])
def test_long_weighted_samples_are_as_exact_as_short_ones(n: int, m: int) -> None:
    """From some hundred points on W_1 is an area, not a walk through the common steps."""
    rng = np.random.default_rng(n)
    for draw in (rng.normal, rng.standard_cauchy, lambda size: np.round(rng.normal(size=size), 1)):
        x, y = draw(size=n), draw(size=m)
        counts = rng.integers(0, 50, n), rng.integers(0, 50, m)
        totals = [int(count.sum()) for count in counts]
        points = sorted({*x.tolist(), *y.tolist()})
        mass = dict.fromkeys(points, 0)
        for samples, count, other in ((x, counts[0], totals[1]), (y, counts[1], -totals[0])):
            for point, weight in zip(samples.tolist(), count.tolist(), strict=True):
                mass[point] += weight * other
        # Whole heights, so each term is rounded once and fsum adds them without another rounding.
        heights = np.cumsum([mass[point] for point in points[:-1]])
        terms = [
            abs(int(h)) * (Fraction(v) - Fraction(u)) for h, u, v in zip(heights, points, points[1:], strict=False)
        ]
        exact = float(sum(terms, Fraction(0)) / (totals[0] * totals[1]))
        a, b = counts[0] * float(totals[1]), counts[1] * float(totals[0])
        assert wasserstein_1d(x, y, x_weights=a, y_weights=b) == pytest.approx(exact, rel=2e-15)
        assert wasserstein_1d(x[::-1], y, x_weights=a[::-1], y_weights=b) == pytest.approx(exact, rel=2e-15)


def test_long_weighted_samples_that_agree_are_not_apart() -> None:
    rng = np.random.default_rng(0)
    x, a = rng.normal(size=5000), rng.random(5000)
    order = rng.permutation(5000)
    assert wasserstein_1d(x, x[order], x_weights=a, y_weights=a[order]) <= 1e-30
    # A far atom of next to no mass must not drown what is near, nor be drowned.
    x[0], a[0] = 1e40, 1e-38
    y = x.copy()
    y[0] = 0.0
    assert wasserstein_1d(x, y, x_weights=a, y_weights=a) == pytest.approx(1e2 / a.sum(), rel=1e-9)


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 30, generator=generator), torch.randn(4, 20, generator=generator)
    a, b = torch.rand(4, 30, generator=generator).softmax(-1), torch.rand(4, 20, generator=generator).softmax(-1)
    for weights in ({}, {"x_weights": a, "y_weights": b}):
        on_device = {name: weight.cuda() for name, weight in weights.items()}
        for function, settings in (
            (wasserstein_1d, {"p": 2}),
            (wasserstein_circle, {}),
            (wasserstein_circle, {"p": 2}),
            (cramer_distance, {}),
        ):
            value = function(x.cuda(), y.cuda(), **settings, **on_device)
            assert value.is_cuda
            torch.testing.assert_close(value.cpu(), function(x, y, **settings, **weights))
