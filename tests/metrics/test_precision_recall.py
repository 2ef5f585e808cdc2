from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.metrics import precision_recall


def radii(x: np.ndarray, k: int) -> np.ndarray:
    return np.sort(cdist(x, x), axis=1)[:, k]


@given(st.integers(5, 40), st.integers(5, 40), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_equals_brute_force_with_ties(n: int, m: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Integers: many pairs lie on a border, and every distance is exact.
    real, fake = rng.integers(0, 5, (n, 2)).astype(float), rng.integers(1, 6, (m, 2)).astype(float)
    distances = cdist(real, fake)
    got = precision_recall(real, fake, k=k)
    assert got.precision == (distances <= radii(real, k)[:, None]).any(0).mean()
    assert got.recall == (distances <= radii(fake, k)).any(1).mean()
    swapped = precision_recall(fake, real, k=k)
    assert (swapped.precision, swapped.recall) == (got.recall, got.precision)


def test_precision_is_of_fakes_and_recall_of_real_samples() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(500, 2))
    collapsed = 0.05 * rng.normal(size=(400, 2))
    got = precision_recall(real, collapsed)
    assert got.precision > 0.95
    assert got.recall < 0.1
    assert (got.n_real, got.n_fake, got.k) == (500, 400, 3)


def test_the_border_belongs_to_the_ball() -> None:
    ones = np.ones((6, 3))
    got = precision_recall(ones, ones, k=2)
    assert (got.precision, got.recall) == (1.0, 1.0)
    far = precision_recall(ones, ones + 1e-12, k=2)
    assert (far.precision, far.recall) == (0.0, 0.0)


def test_intervals_hold_the_values_and_are_not_empty() -> None:
    x = np.random.default_rng(1).normal(size=(50, 2))
    got = precision_recall(x, x)
    assert got.precision == got.recall == 1.0
    low, high = got.precision_interval
    assert 0.9 < low < 1.0
    assert high == pytest.approx(1.0)
    half = precision_recall(x, np.concatenate([x[:25], x[:25] + 100.0]))
    # Wilson's interval of 25 in 50.
    assert half.precision_interval == pytest.approx((0.3664, 0.6336), abs=1e-4)


def test_agrees_with_torch_fidelity_where_no_pair_lies_on_a_border() -> None:
    # Release 0.4.0 calls precision recall and the other way round, so the two are compared as a set. Its float32
    # distances can flip pairs on a border; these samples have none within rounding.
    fidelity = pytest.importorskip("torch_fidelity.metric_prc", exc_type=ImportError)
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(300, 8)), rng.normal(0.3, 1.0, (300, 8))
    result = fidelity.prc_features_to_metric(torch.from_numpy(real), torch.from_numpy(fake), verbose=False)
    got = precision_recall(real, fake)
    expected = sorted(float(result[name]) for name in ("precision", "recall"))
    assert sorted((got.precision, got.recall)) == pytest.approx(expected, abs=1e-6)


def test_bad_input_is_named() -> None:
    x = np.ones((5, 2))
    with pytest.raises(DomainError, match="k: expected less than the 5 rows of real"):
        precision_recall(x, x, k=5)
    with pytest.raises(DomainError, match="k: expected at least 1"):
        precision_recall(x, x, k=0)
    with pytest.raises(DTypeError, match="k"):
        precision_recall(x, x, k=1.5)
    with pytest.raises(ShapeError, match="with one d"):
        precision_recall(x, np.ones((5, 3)))
    bad = x.copy()
    bad[3, 0] = np.nan
    with pytest.raises(DomainError, match="fake: expected finite features, got nan or infinity in row 3"):
        precision_recall(x, bad)
