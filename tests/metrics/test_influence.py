"""The interval of the Fréchet distance: against deleting samples, against its spread over data sets, and its sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gancore.kernels.frechet import frechet_distance
from gancore.kernels.moments import FeatureMoments
from gancore.metrics import fid
from gancore.metrics._influence import standard_error
from gancore.metrics._sample import RowSample, sample_size


def moments(rows: np.ndarray) -> FeatureMoments:
    found = FeatureMoments(rows.shape[1])
    found.update(rows)
    return found


def jackknife(x: np.ndarray, y: np.ndarray) -> float:
    """Of all n + m distances without one sample."""
    variance = 0.0
    for side, other in ((x, moments(y)), (y, moments(x))):
        n = len(side)
        values = [frechet_distance(moments(np.delete(side, i, axis=0)), other) for i in range(n)]
        variance += (n - 1) ** 2 / n * np.var(values, ddof=1)
    return math.sqrt(variance)


@pytest.mark.parametrize(("n", "m", "d"), [(200, 150, 1), (300, 250, 4), (250, 300, 12)])
def test_one_gradient_gives_the_error_of_deleting_each_sample(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(n, d)) + 1e3, rng.exponential(size=(m, d)) @ rng.normal(size=(d, d)) + 1e3
    assert standard_error(moments(x), moments(y), x, y) == pytest.approx(jackknife(x, y), rel=0.1)


def test_singular_covariances_have_an_error_too() -> None:
    """Fewer samples than features, and features that never vary."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 50)), rng.normal(0.5, 2.0, size=(400, 50))
    y[:, 3] = 7.0
    assert standard_error(moments(x), moments(y), x, y) == pytest.approx(jackknife(x, y), rel=0.3)


def test_a_side_without_samples_is_held_fixed() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 3)), rng.normal(1.0, 2.0, size=(200, 3))
    both = standard_error(moments(x), moments(y), x, y)
    one, other = (standard_error(moments(x), moments(y), *rows) for rows in ((x, None), (None, y)))
    assert math.hypot(one, other) == pytest.approx(both, rel=1e-12)
    assert standard_error(moments(x), moments(y), None, None) is None
    assert standard_error(moments(x), moments(y), x[:500], y[:100]) == pytest.approx(both, rel=0.3)


@pytest.mark.parametrize(
    ("n", "m", "d", "shift", "scale"), [(100, 100, 2, 1.0, 0.5), (400, 300, 8, 0.5, 0.5), (300, 300, 12, 0.0, 0.3)]
)
def test_intervals_cover_what_other_samples_give(n: int, m: int, d: int, shift: float, scale: float) -> None:
    """The mean score over 300 data sets of one size lies in 95 % of the intervals; their width is its spread."""
    rng = np.random.default_rng(d)
    mix = np.eye(d) + scale * rng.normal(size=(d, d)) / math.sqrt(d)
    found = [fid(rng.normal(size=(n, d)), rng.normal(size=(m, d)) @ mix + shift, progress=False) for _ in range(300)]
    values = np.array([result.value for result in found])
    low, high = np.array([result.interval for result in found]).T
    assert 0.88 <= np.mean((low <= values.mean()) & (values.mean() <= high)) <= 0.99
    assert np.mean(high - low) / (2 * 1.96) == pytest.approx(values.std(), rel=0.2)


@given(st.integers(1, 50), st.integers(0, 300), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_sample_is_even_and_indifferent_to_batches(size: int, n: int, batch: int, seed: int) -> None:
    rows = np.arange(2.0 * n).reshape(n, 2)
    whole, parts = RowSample(size, [seed]), RowSample(size, [seed])
    whole.update(rows)
    for start in range(0, n, batch):
        parts.update(rows[start : start + batch])
    one, other = whole.rows(), parts.rows()
    if n == 0:
        assert other is None
        return
    np.testing.assert_array_equal(one, other)
    assert len(one) == len(np.unique(one[:, 0])) == min(size, n)
    assert set(map(tuple, one)) <= set(map(tuple, rows))


def test_every_row_of_a_stream_has_the_same_chance() -> None:
    """Rows late in a stream are as likely as early ones."""
    counts = np.zeros(60)
    for seed in range(2000):
        sample = RowSample(10, [seed])
        for start in range(0, 60, 7):
            sample.update(np.arange(60.0)[start : start + 7, None])
        counts[sample.rows()[:, 0].astype(int)] += 1
    # Binomial(2000, 1/6): mean 333, deviation 16.7; 60 of them within 4.5 deviations.
    assert np.abs(counts - 2000 / 6).max() < 75


def test_the_sample_is_bounded() -> None:
    assert [sample_size(dim) for dim in (1, 2, 64, 512, 2048, 10**6)] == [16384, 16384, 16384, 4096, 1024, 1024]
