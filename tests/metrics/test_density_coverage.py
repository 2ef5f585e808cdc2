from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gancore.errors import DomainError
from gancore.metrics import density_coverage, precision_recall


@given(st.integers(6, 40), st.integers(6, 40), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_equals_brute_force_with_ties(n: int, m: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Integers: many pairs lie on a border, and every distance is exact.
    real, fake = rng.integers(0, 5, (n, 2)).astype(float), rng.integers(1, 6, (m, 2)).astype(float)
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    inside = cdist(real, fake) < radii[:, None]
    got = density_coverage(real, fake, k=k)
    assert got.density == pytest.approx(inside.sum() / (k * m), rel=1e-14)
    assert got.coverage == inside.any(1).mean()


def test_agrees_with_prdc() -> None:
    prdc = pytest.importorskip("prdc")
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(400, 6)), rng.normal(0.2, 1.1, (300, 6))
    expected = prdc.compute_prdc(real, fake, nearest_k=5)
    got, other = density_coverage(real, fake), precision_recall(real, fake, k=5)
    assert got.density == pytest.approx(expected["density"], rel=1e-12)
    assert got.coverage == expected["coverage"]
    # prdc leaves the border out here too; no pair of these lies on one.
    assert (other.precision, other.recall) == (expected["precision"], expected["recall"])


def test_equal_samples_have_empty_balls() -> None:
    got = density_coverage(np.ones((20, 4)), np.ones((20, 4)))
    assert (got.density, got.coverage) == (0.0, 0.0)
    assert precision_recall(np.ones((20, 4)), np.ones((20, 4))).precision == 1.0


def test_density_may_pass_one_and_is_one_for_one_distribution() -> None:
    rng = np.random.default_rng(1)
    real = rng.normal(size=(1500, 2))
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    assert density_coverage(line, np.array([[0.5], [1.5], [2.5], [30.0]]), k=1).density == 1.5
    same = density_coverage(real, rng.normal(size=(1500, 2)))
    # Coverage of one distribution is 1 - (n-1)...(n-k) / (2n-1)...(2n-k), near 1 - 2^-k.
    expected = 1 - math.prod((1500 - i) / (3000 - i) for i in range(1, 6))
    assert same.density == pytest.approx(1.0, abs=0.05)
    assert same.coverage == pytest.approx(expected, abs=0.02)
    assert same.density_interval[0] < 1.0 < same.density_interval[1]


def test_balls_are_those_of_real_samples_alone() -> None:
    real = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    got = density_coverage(real, np.full((6, 1), 100.0) * np.arange(6)[:, None] + 50.0, k=1)
    assert (got.density, got.coverage) == (0.0, 0.0)
    assert got.density_interval == (0.0, 0.0)
    assert got.coverage_interval[1] > 0


def test_bad_input_is_named() -> None:
    with pytest.raises(DomainError, match="k: expected less than the 4 rows of fake"):
        density_coverage(np.ones((9, 2)), np.ones((4, 2)), k=4)
