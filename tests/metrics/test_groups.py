from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from gancore.kernels.frechet import frechet_distance
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._groups import Groups, group_count, jackknife, quantile


def moments(rows: np.ndarray) -> FeatureMoments:
    found = FeatureMoments(rows.shape[1])
    found.update(rows)
    return found


@given(st.integers(1, 30), st.integers(0, 200), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_groups_are_even_random_and_indifferent_to_batches(k: int, n: int, batch: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, 2)) + 3
    whole, parts = Groups(2, k, [seed]), Groups(2, k, [seed])
    whole.update(rows)
    for start in range(0, n, batch):
        parts.update(rows[start : start + batch])
    counts = [group.count for group in whole.moments]
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1
    assert counts == [group.count for group in parts.moments]
    if n >= 2:
        merged = reduce(FeatureMoments.merge, whole.moments)
        np.testing.assert_allclose(whole.whole.covariance, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(merged.covariance, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-12)
        for one, other in zip(whole.moments, parts.moments, strict=True):
            if one.count:
                np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)


def test_which_group_a_row_is_in_does_not_follow_its_place() -> None:
    """A sorted source must not have a group of its own for each class."""
    groups = Groups(1, 10, [0])
    groups.update(np.repeat([0.0, 1.0], 500)[:, None])
    assert all(0.3 < group.mean[0] < 0.7 for group in groups.moments)


def test_the_jackknife_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    parts = [[rng.normal(i % 2, 1.0, size=(20 + i, 3)) for i in range(7)] for _ in range(2)]
    sides = [[moments(part) for part in side] for side in parts]
    wholes = [reduce(FeatureMoments.merge, side) for side in sides]
    values = [
        frechet_distance(*(moments(np.concatenate([p for i, p in enumerate(side) if i != out])) for side in parts))
        for out in range(7)
    ]
    expected = math.sqrt(6 / 7 * np.square(np.array(values) - np.mean(values)).sum())
    assert jackknife(frechet_distance, *wholes, *sides) == (pytest.approx(expected, rel=1e-9), 6)
    held = [frechet_distance(wholes[0], moments(np.concatenate(parts[1][:i] + parts[1][i + 1 :]))) for i in range(7)]
    expected = math.sqrt(6 / 7 * np.square(np.array(held) - np.mean(held)).sum())
    assert jackknife(frechet_distance, *wholes, (), sides[1]) == (pytest.approx(expected, rel=1e-9), 6)
    assert jackknife(frechet_distance, *wholes, (), ()) is None


def test_sides_of_different_numbers_of_groups_are_left_out_one_by_one() -> None:
    rng = np.random.default_rng(1)
    sides = [[moments(rng.normal(size=(30, 2))) for _ in range(k)] for k in (4, 9)]
    wholes = [reduce(FeatureMoments.merge, side) for side in sides]
    one, other = (jackknife(frechet_distance, *wholes, *pair) for pair in ((sides[0], ()), ((), sides[1])))
    assert jackknife(frechet_distance, *wholes, *sides) == (pytest.approx(math.hypot(one[0], other[0])), 3)


def test_singular_groups_stay_positive() -> None:
    """Fewer rows than features, far from the origin: what is left of each group must be no matrix that is refused."""
    rng = np.random.default_rng(2)
    sides = []
    for _ in range(2):
        groups = Groups(50, group_count(50), [0])
        groups.update(rng.normal(size=(30, 50)) + 1e4)
        sides.append(groups)
    wholes, parts = [side.whole for side in sides], [side.moments for side in sides]
    error, freedom = jackknife(frechet_distance, *wholes, *parts)
    assert error > 0
    assert freedom == 19


def test_students_t() -> None:
    for freedom in range(1, 20):
        assert quantile(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-3)
