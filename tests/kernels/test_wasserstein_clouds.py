"""Sliced and max-sliced Wasserstein distances and the energy distance: against brute force, SciPy and their laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance as scipy_energy

import gancore
from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.kernels._torch import wasserstein as twin
from gancore.kernels.langevin import philox_normal
from gancore.kernels.wasserstein import (
    cramer_distance,
    energy_distance,
    max_sliced_wasserstein,
    sliced_wasserstein,
    wasserstein_1d,
)

coordinates = st.one_of(st.integers(-2, 2).map(float), st.floats(-10, 10))


@st.composite
def clouds(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    d = draw(st.integers(1, 5))
    return tuple(draw(hnp.arrays(np.float64, (draw(st.integers(1, 12)), d), elements=coordinates)) for _ in range(2))


def directions(n: int, d: int, seed: int) -> np.ndarray:
    normals = philox_normal((n, d), seed=seed, stream=239, dtype="float64")
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


@given(pair=clouds(), p=st.sampled_from([1.0, 2.0, 3.0, math.inf]), n=st.integers(1, 20), seed=st.integers(0, 9))
def test_sliced_is_the_mean_over_its_directions(pair: tuple, p: float, n: int, seed: int) -> None:
    x, y = pair
    along = [wasserstein_1d(x @ theta, y @ theta, p=p) for theta in directions(n, x.shape[1], seed)]
    expected = max(along) if p == math.inf else np.mean(np.power(along, p)) ** (1 / p)
    value = sliced_wasserstein(x, y, p=p, n_projections=n, seed=seed)
    assert isinstance(value, float)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    tensor = twin.sliced_wasserstein(torch.from_numpy(x), torch.from_numpy(y), p=p, n_projections=n, seed=seed)
    assert tensor.item() == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(data=st.data(), p=st.sampled_from([1.0, 2.0]))
def test_sliced_below_max_sliced_below_the_full_distance(data: st.DataObject, p: float) -> None:
    n, d = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 4))
    x, y = (data.draw(hnp.arrays(np.float64, (n, d), elements=coordinates)) for _ in range(2))
    cost = cdist(x, y) ** p
    full = cost[linear_sum_assignment(cost)].mean() ** (1 / p)
    sliced = sliced_wasserstein(x, y, p=p, n_projections=16)
    value, theta = max_sliced_wasserstein(x, y, p=p, n_projections=16)
    slack = 1e-9 * (1 + full)
    assert sliced <= value + slack
    assert value <= full + slack
    assert np.linalg.norm(theta) == pytest.approx(1)
    assert wasserstein_1d(x @ theta, y @ theta, p=p) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert value >= np.linalg.norm(x.mean(0) - y.mean(0)) - slack
    for along in directions(16, d, 0):
        assert value >= wasserstein_1d(x @ along, y @ along, p=p) - slack


def test_max_sliced_finds_the_best_direction_of_the_plane() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(50, 2)) * [1.0, 3.0]
    angles = np.linspace(0, math.pi, 2000)
    along = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    best = max(wasserstein_1d(x @ theta, y @ theta, p=2) for theta in along)
    assert max_sliced_wasserstein(x, y, p=2).value >= best * (1 - 1e-6)
    x, y = torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)
    found = max_sliced_wasserstein(x, y, p=2)
    assert found.value.item() >= best * (1 - 1e-6)
    found.value.backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_shifted_clouds_are_a_known_distance_apart() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    shift = np.array([3.0, 0.0, 4.0])
    assert max_sliced_wasserstein(x, x + shift).value == pytest.approx(5.0, rel=1e-9)
    along = np.abs(directions(200, 3, 1) @ shift)
    value = sliced_wasserstein(x, x + shift, p=2, n_projections=200, seed=1)
    assert value == pytest.approx(math.sqrt((along**2).mean()), rel=1e-9)
    # The mean square of a coordinate of a unit vector is 1/d.
    assert sliced_wasserstein(x, x + shift, p=2, n_projections=20_000) == pytest.approx(5 / math.sqrt(3), rel=0.03)


def test_same_seed_same_bits_on_any_threads() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 300, 7))
    before = gancore.num_threads()
    try:
        answers = []
        for threads in (1, 3):
            gancore.set_num_threads(threads)
            best = max_sliced_wasserstein(x, y, n_projections=20)
            answers.append((sliced_wasserstein(x, y, n_projections=100), energy_distance(x, y), best.value))
        assert answers[0] == answers[1]
    finally:
        gancore.set_num_threads(before)
    assert sliced_wasserstein(x, y, seed=1) != sliced_wasserstein(x, y, seed=2)


def by_pairs(x: np.ndarray, y: np.ndarray) -> float:
    return 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()


@given(pair=clouds())
def test_energy_distance_is_that_of_all_pairs(pair: tuple) -> None:
    x, y = pair
    value = energy_distance(x, y)
    assert value**2 == pytest.approx(by_pairs(x, y), rel=1e-9, abs=1e-12 * (1 + abs(x).max() + abs(y).max()))
    assert energy_distance(y, x) == pytest.approx(value, rel=1e-9, abs=1e-6)
    assert energy_distance(x, x) == 0
    assert energy_distance(8 * x, 8 * y) == pytest.approx(math.sqrt(8) * value, rel=1e-12)
    tensor = twin.energy_distance(torch.from_numpy(x), torch.from_numpy(y))
    assert tensor.item() ** 2 == pytest.approx(value**2, rel=1e-9, abs=1e-11)


@given(x=hnp.arrays(np.float64, st.integers(1, 30), elements=coordinates), seed=st.integers(0, 99))
def test_energy_distance_on_the_line_is_scipys_and_the_cramer_distance(x: np.ndarray, seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=17)
    value = energy_distance(x, y)
    assert value == pytest.approx(scipy_energy(x, y), rel=1e-9)
    assert value == pytest.approx(math.sqrt(2) * cramer_distance(x, y), rel=1e-14)
    assert value == energy_distance(x[:, None], y[:, None])
    # In a plane the same points take the way of all pairs.
    plane = np.stack([x, 0 * x], axis=1), np.stack([y, 0 * y], axis=1)
    assert energy_distance(*plane) == pytest.approx(value, rel=1e-6)


def test_energy_distance_of_extreme_coordinates() -> None:
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    for scale in (1e-300, 1e200, 1e300):
        assert energy_distance(scale * x, scale * y) == pytest.approx(math.sqrt(2 * math.sqrt(2) * scale), rel=1e-12)
    assert energy_distance(0 * x, 0 * y) == 0


def test_gradients_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    for d in (1, 3):
        x = torch.randn(5, d, generator=generator, dtype=torch.float64, requires_grad=True)
        y = torch.randn(4, d, generator=generator, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(energy_distance, (x, y))
        assert torch.autograd.gradcheck(lambda x, y: sliced_wasserstein(x, y, n_projections=7), (x, y))


def test_output_kind_is_input_kind() -> None:
    x = torch.zeros(2, 3)
    for value in (sliced_wasserstein(x, x + 1), energy_distance(x, x + 1), max_sliced_wasserstein(x, x + 1).value):
        assert isinstance(value, torch.Tensor)
        assert value.shape == ()
        assert value.dtype == torch.float64
    assert sliced_wasserstein(x.numpy(), x.numpy() + 1) == sliced_wasserstein(x, x + 1).item()


@pytest.mark.parametrize("function", [sliced_wasserstein, max_sliced_wasserstein, energy_distance])
@pytest.mark.parametrize("grad", [False, True])
def test_what_is_no_cloud_is_refused_by_name(function, grad: bool) -> None:
    def kind(values: np.ndarray):
        return torch.from_numpy(values).requires_grad_() if grad else values

    good = kind(np.zeros((2, 2)))
    for bad in (np.zeros((2, 3)), np.zeros((0, 2)), np.zeros((1, 2, 2))):
        with pytest.raises(ShapeError, match="`y`"):
            function(good, kind(bad))
    for value in (math.nan, math.inf):
        with pytest.raises(DomainError, match="`x`"):
            function(kind(np.array([[0.0, value]])), good)


def test_settings_out_of_range_are_refused() -> None:
    x = np.zeros((1, 1))
    for settings, name in (({"p": 0.5}, "p"), ({"n_projections": 0}, "n_projections"), ({"seed": -1}, "seed")):
        for function in (sliced_wasserstein, max_sliced_wasserstein):
            with pytest.raises(DomainError, match=name):
                function(x, x, **settings)
    with pytest.raises(DTypeError, match="seed"):
        sliced_wasserstein(x, x, seed=0.5)
    with pytest.raises(DomainError, match="seed"):
        sliced_wasserstein(x, x, seed=2**64)


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(30, 3, generator=generator), torch.randn(20, 3, generator=generator)
    for function in (sliced_wasserstein, energy_distance):
        value = function(x.cuda(), y.cuda())
        assert value.is_cuda
        torch.testing.assert_close(value.cpu(), function(x, y))
