from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy, sem, t

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.metrics import inception_score


def distributions(n: int, c: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(c, 0.3), size=n)


@given(st.integers(1, 6), st.integers(1, 8), st.integers(6, 50), st.integers(0, 2**32 - 1))
def test_equals_the_definition(splits: int, c: int, n: int, seed: int) -> None:
    rows = distributions(n, c, seed)
    rows[0] = np.eye(c)[0]
    scores = [
        np.exp(np.mean([entropy(row, part.mean(axis=0)) for row in part])) for part in np.array_split(rows, splits)
    ]
    got = inception_score(rows, splits)
    np.testing.assert_allclose(got, (np.mean(scores), np.std(scores)), rtol=1e-9, atol=1e-12)


def test_bounds_are_reached() -> None:
    """1 when every sample says the same, the number of classes when each is sure and all are used."""
    assert inception_score(np.full((40, 5), 0.2)) == pytest.approx((1.0, 0.0))
    assert inception_score(np.tile(np.eye(5), (10, 1))) == pytest.approx((5.0, 0.0))
    assert inception_score(np.tile(np.eye(5)[:1], (50, 1))) == pytest.approx((1.0, 0.0))


def test_larger_is_surer() -> None:
    unsure = distributions(200, 6)
    sure = unsure**4 / (unsure**4).sum(axis=1, keepdims=True)
    assert inception_score(sure).mean > inception_score(unsure).mean


def test_tensors_of_float32_that_sum_to_one_only_nearly() -> None:
    logits = torch.randn(300, 1000, generator=torch.Generator().manual_seed(0))
    single = inception_score(logits.softmax(dim=1))
    assert single == pytest.approx(inception_score(logits.double().softmax(dim=1).numpy()), rel=1e-5)


def test_the_interval_is_students_over_the_splits() -> None:
    rows = distributions(400, 5)
    for splits in (2, 10):
        scores = [inception_score(part, 1).mean for part in np.array_split(rows, splits)]
        low, high = t.interval(0.95, splits - 1, np.mean(scores), sem(scores))
        found = inception_score(rows, splits)
        assert found.interval == pytest.approx((low, high), rel=1e-3)
        assert tuple(found) == (found.mean, found.std)
        again = pickle.loads(pickle.dumps(found))
        assert (again, again.interval) == (found, found.interval)
    assert inception_score(rows, 1).interval is None


@pytest.mark.parametrize(
    ("rows", "splits", "error"),
    [
        (np.full((5, 3), 0.2), 1, DomainError),
        (np.array([[1.5, -0.5]]), 1, DomainError),
        (np.full((5, 2), np.nan), 1, DomainError),
        (distributions(5, 3), 6, DomainError),
        (distributions(5, 3), 0, DomainError),
        (distributions(5, 3)[0], 1, ShapeError),
        (np.eye(3, dtype=int), 1, DTypeError),
    ],
)
def test_input_that_makes_no_sense(rows: np.ndarray, splits: int, error: type) -> None:
    with pytest.raises(error):
        inception_score(rows, splits)
