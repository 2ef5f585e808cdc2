"""Wasserstein distances on the line against SciPy, assignments, their laws, and the torch twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.kernels._torch import wasserstein as twin
from gancore.kernels.wasserstein import wasserstein_1d

points = hnp.arrays(
    np.float64, st.integers(1, 30), elements=st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3))
)
orders = st.sampled_from([1.0, 1.5, 2.0, 3.0, math.inf])


@given(x=points, y=points)
def test_agrees_with_scipy(x: np.ndarray, y: np.ndarray) -> None:
    assert wasserstein_1d(x, y) == pytest.approx(wasserstein_distance(x, y), rel=1e-12, abs=1e-12)


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


@given(x=points, y=points, p=orders)
def test_twin_agrees_with_the_kernel(x: np.ndarray, y: np.ndarray, p: float) -> None:
    value = twin.wasserstein_1d(torch.from_numpy(x), torch.from_numpy(y), p=p)
    assert value.item() == pytest.approx(wasserstein_1d(x, y, p=p), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("m", [5, 3])
def test_gradients_are_those_of_finite_differences(p: float, m: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, m, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, y: wasserstein_1d(x, y, p=p), (x, y))


def test_gradient_where_the_samples_agree_is_finite() -> None:
    x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    wasserstein_1d(x, torch.zeros(3, dtype=torch.float64), p=2).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_parallel_lines_are_theta_apart_to_the_last_bit() -> None:
    z = np.arange(64) / 64
    for theta in (0.125, 1.0, 1024.0):
        for p in (1.0, 2.0, math.inf):
            assert wasserstein_1d(z, z + theta, p=p) == theta


def test_rows_are_answered_one_by_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 40)), rng.normal(size=(2, 3, 25))
    value = wasserstein_1d(x, y, p=2)
    assert value.shape == (2, 3)
    assert value[1, 2] == wasserstein_1d(x[1, 2], y[1, 2], p=2)


def test_output_kind_is_input_kind() -> None:
    x = np.arange(3, dtype=np.float32)
    assert isinstance(wasserstein_1d(x, x), float)
    assert wasserstein_1d(torch.from_numpy(x), torch.from_numpy(x)).dtype == torch.float64


@pytest.mark.parametrize("as_kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("x", "error"), [([math.nan], DomainError), ([math.inf, 0.0], DomainError), ([], ShapeError), ([[0.0]], ShapeError)]
)
def test_what_is_no_sample_is_refused_by_name(as_kind, x, error) -> None:
    x, y = as_kind(np.array(x)), as_kind(np.array([0.0]))
    with pytest.raises(error, match=r"`[xy]`"):
        wasserstein_1d(x, y)
    if as_kind is torch.as_tensor:
        with pytest.raises(error, match=r"`[xy]`"):
            twin.wasserstein_1d(x, y, p=1.0)


def test_orders_below_one_are_refused() -> None:
    for p in (0.5, math.nan, -1.0):
        with pytest.raises(DomainError, match="`p`"):
            wasserstein_1d([0.0], [1.0], p=p)
    with pytest.raises(DTypeError, match="`p`"):
        wasserstein_1d([0.0], [1.0], p="2")


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 30, generator=generator), torch.randn(4, 20, generator=generator)
    value = wasserstein_1d(x.cuda(), y.cuda(), p=2)
    assert value.is_cuda
    torch.testing.assert_close(value.cpu(), wasserstein_1d(x, y, p=2))
