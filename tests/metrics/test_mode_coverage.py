from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import binomtest, entropy

from gancore.datasets.gaussians import grid, ring
from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.metrics import mode_coverage


@given(st.integers(1, 12), st.integers(1, 60), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_equals_the_loop(k: int, n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    centers, samples, radius = rng.normal(size=(k, d)), rng.normal(size=(n, d)), 0.7
    distances = cdist(samples, centers)
    histogram = np.zeros(k)
    for row in distances:
        if row.min() <= radius:
            histogram[row.argmin()] += 1
    got = mode_coverage(samples, centers, radius=radius)
    assert got.counts == tuple(histogram)
    assert got.modes == np.count_nonzero(histogram)
    assert got.high_quality == pytest.approx(histogram.sum() / n)
    if histogram.any():
        assert got.kl == pytest.approx(entropy(histogram, np.ones(k)), abs=1e-12)
    else:
        assert math.isnan(got.kl)


@pytest.mark.parametrize("make", [ring, grid])
def test_real_data_cover_their_own_modes(make) -> None:
    data = make(n=20_000)
    samples = data.batch(torch.arange(len(data)))
    got = mode_coverage(samples, data.centers, radius=4 * data.std)
    k = len(data.centers)
    assert got.modes == k
    # In the plane, a share exp(-16/2) of a Gaussian lies beyond 4 standard deviations.
    assert got.high_quality == pytest.approx(1 - math.exp(-8), abs=4 * math.sqrt(math.exp(-8) / 20_000))
    # A sampled uniform histogram has kl near (k - 1) / 2n; 2n kl is chi-square.
    assert 2 * 20_000 * got.kl < k - 1 + 5 * math.sqrt(2 * (k - 1))


def test_collapse_onto_one_mode() -> None:
    got = mode_coverage(np.full((10, 2), 2.0), grid(n=1).centers.numpy(), radius=0.2)
    assert (got.modes, got.high_quality) == (1, 1.0)
    assert got.kl == pytest.approx(math.log(25))


@pytest.mark.parametrize(("good", "n"), [(0, 10), (3, 10), (10, 10), (517, 1000)])
def test_the_interval_is_wilsons(good: int, n: int) -> None:
    samples = np.where(np.arange(n) < good, 0.0, 9.0)[:, None]
    found = mode_coverage(samples, np.zeros((1, 1)), radius=1.0)
    expected = binomtest(good, n).proportion_ci(method="wilson")
    assert found.interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_sample_between_modes_counts_once() -> None:
    centers = np.array([[0.0], [1.0]])
    got = mode_coverage(np.array([[0.49], [0.51]]), centers, radius=2.0)
    assert got.counts == (1, 1)


def test_far_from_the_origin_nothing_cancels() -> None:
    centers = np.array([[1e8, 0.0], [1e8 + 1, 0.0]])
    assert mode_coverage(centers + 0.25, centers, radius=0.4).counts == (1, 1)


def test_input_that_makes_no_sense() -> None:
    x = np.zeros((3, 2))
    for samples, centers, radius, error in (
        (x, np.zeros((2, 3)), 1.0, ShapeError),
        (x[:0], x, 1.0, ShapeError),
        (x, x[:0], 1.0, ShapeError),
        (x[0], x, 1.0, ShapeError),
        (x, x, 0.0, DomainError),
        (x, x, math.nan, DomainError),
        (x * math.nan, x, 1.0, DomainError),
        (x.astype(int), x, 1.0, DTypeError),
    ):
        with pytest.raises(error):
            mode_coverage(samples, centers, radius=radius)
