"""Parzen windows against SciPy's Gaussians, quadrature, their laws and the torch twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.kernels._torch import parzen as twin
from gancore.kernels.parzen import parzen_log_likelihood, select_bandwidth


def oracle(samples: np.ndarray, points: np.ndarray, bandwidth: float) -> np.ndarray:
    eye = bandwidth**2 * np.eye(samples.shape[1])
    logs = np.array([[multivariate_normal.logpdf(x, s, eye) for s in samples] for x in points])
    return logsumexp(logs, axis=1) - math.log(len(samples))


@st.composite
def clouds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, m, d = (draw(st.integers(1, 6)) for _ in range(3))
    numbers = st.floats(-10, 10, width=32)
    return tuple(draw(hnp.arrays(np.float32, (rows, d), elements=numbers)) for rows in (n, m))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(pair=clouds(), bandwidth=st.floats(0.05, 5))
def test_agrees_with_scipy(dtype: type, pair: tuple[np.ndarray, np.ndarray], bandwidth: float) -> None:
    samples, points = (values.astype(dtype) for values in pair)
    value = parzen_log_likelihood(samples, points, bandwidth)
    expected = oracle(*(values.astype(np.float64) for values in pair), bandwidth)
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-8)


@given(pair=clouds(), shift=st.floats(-1e3, 1e3))
def test_bandwidths_share_a_pass_and_a_translation_changes_nothing(
    pair: tuple[np.ndarray, np.ndarray], shift: float
) -> None:
    samples, points = (values.astype(np.float64) for values in pair)
    several = parzen_log_likelihood(samples, points, [0.3, 1.0, 4.0])
    assert several.shape == (3, len(points))
    for row, bandwidth in zip(several, [0.3, 1.0, 4.0], strict=True):
        np.testing.assert_array_equal(row, parzen_log_likelihood(samples, points, bandwidth))
    moved = parzen_log_likelihood(samples + shift, points + shift, [0.3, 1.0, 4.0])
    np.testing.assert_allclose(moved, several, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("bandwidths", [[0.1], [0.1, 0.4], [30.0], [0.1, 30.0]])
def test_few_neighbours_many_and_both_in_one_block_give_one_answer(order: int, bandwidths: list[float]) -> None:
    """Narrow windows sum the few samples that matter, wide ones all of them; a block may turn from one to the other."""
    rng = np.random.default_rng(5)
    spread = rng.uniform(-10, 10, (700, 12))
    # All of the cluster matters to points that lie in it, so a block that meets it goes on with all samples.
    cluster = spread[3] + rng.normal(scale=0.02, size=(600, 12))
    samples = np.concatenate([spread, cluster][::order])
    points = np.concatenate([cluster[:200] + 0.01, spread[:200] + rng.normal(scale=0.05, size=(200, 12))])
    squares = ((points[:, None] - samples) ** 2).sum(-1)
    value = parzen_log_likelihood(samples, points, bandwidths)
    for row, h in zip(value, bandwidths, strict=True):
        constant = math.log(len(samples)) + 6 * math.log(2 * math.pi * h * h)
        np.testing.assert_allclose(row, logsumexp(-squares / (2 * h * h), axis=1) - constant, rtol=1e-11, atol=1e-9)


def test_the_density_integrates_to_one() -> None:
    samples = np.array([[0.0], [1.0], [3.0]])
    total, _ = quad(lambda x: math.exp(parzen_log_likelihood(samples, [[x]], 0.4)[0]), -5, 8, points=[0, 1, 3])
    assert total == pytest.approx(1.0, abs=1e-7)


def test_blocks_do_not_show_and_large_dimension_is_accurate() -> None:
    generator = np.random.default_rng(0)
    samples, points = generator.random((700, 200)), generator.random((150, 200))
    value = parzen_log_likelihood(samples, points, 0.2)
    squares = ((points[:, None] - samples) ** 2).sum(-1)
    expected = logsumexp(-squares / 0.08, axis=1) - math.log(700) - 100 * math.log(2 * math.pi * 0.04)
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10)


def test_a_bandwidth_is_chosen_on_validation_data() -> None:
    generator = np.random.default_rng(0)
    samples, validation = generator.normal(size=(400, 2)), generator.normal(size=(200, 2))
    widths = np.logspace(-2, 1, 10)
    chosen = select_bandwidth(samples, validation, widths)
    means = [oracle(samples, validation[:50], width).mean() for width in widths]
    assert abs(int(np.argmax(means)) - int(np.argmin(abs(widths - chosen)))) <= 1
    assert 0.05 < chosen < 1
    assert select_bandwidth(torch.tensor(samples), torch.tensor(validation), widths) == chosen


@given(pair=clouds())
def test_twin_agrees_with_the_kernel(pair: tuple[np.ndarray, np.ndarray]) -> None:
    samples, points = map(torch.from_numpy, pair)
    expected = parzen_log_likelihood(samples, points, [0.5, 2.0])
    ours = twin.parzen_log_likelihood(samples, points, bandwidths=[0.5, 2.0])
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-8)


def test_gradients_reach_samples_and_points() -> None:
    generator = torch.Generator().manual_seed(0)
    samples, points = (torch.randn(n, 2, generator=generator, dtype=torch.float64, requires_grad=True) for n in (5, 3))
    assert torch.autograd.gradcheck(lambda s, x: parzen_log_likelihood(s, x, [0.5, 1.0]), (samples, points))


@pytest.mark.parametrize(
    ("samples", "points", "bandwidth", "error", "words"),
    [
        ([[math.nan]], [[0.0]], 1.0, DomainError, "`samples` must have finite numbers; got NaN at row 0, column 0"),
        ([[0.0]], [[0.0], [math.inf]], 1.0, DomainError, "`points` must have finite numbers; got inf at row 1"),
        ([[0.0]], [[0.0, 1.0]], 1.0, ShapeError, "`points` must have 1 columns; got 2"),
        ([0.0], [[0.0]], 1.0, ShapeError, "`samples` must have shape"),
        (np.zeros((0, 2)), np.zeros((1, 2)), 1.0, ShapeError, "`samples` must have at least one row"),
        ([[0.0]], [[0.0]], 0.0, DomainError, "`bandwidth` at index 0"),
        ([[0.0]], [[0.0]], [1.0, -1.0], DomainError, "`bandwidth` at index 1"),
        ([[0.0]], [[0.0]], [1.0, 1e-200], DomainError, "`bandwidth` at index 1"),
        ([[0.0]], [[0.0]], [], ShapeError, "`bandwidth`"),
        ([[0.0]], [[0.0]], "wide", ShapeError, "`bandwidth`"),
        ([[0.0]], [[0.0]], [None], DTypeError, "`bandwidth`"),
    ],
)
def test_bad_input_is_refused_by_name(samples, points, bandwidth, error, words) -> None:
    with pytest.raises(error, match=words):
        parzen_log_likelihood(samples, points, bandwidth)


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    samples, points = torch.rand(2, 50, 3, generator=torch.Generator().manual_seed(0))
    value = parzen_log_likelihood(samples.cuda(), points.cuda(), 0.5)
    assert value.is_cuda
    torch.testing.assert_close(value.cpu(), parzen_log_likelihood(samples, points, 0.5), rtol=1e-9, atol=1e-9)
