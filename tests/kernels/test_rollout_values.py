"""Plans, values, returns and advantages, by enumeration and by their definitions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gancore.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from gancore.kernels.rollout import (
    LSTMWeights,
    advantages,
    lstm_rollout,
    returns,
    rollout_plan,
    rollout_q_values,
)

MATRICES = hnp.arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(1, 6)), elements=st.floats(-9, 9, width=32))


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_plan_holds_every_pair_once_and_its_fronts_grow(length: int, n: int) -> None:
    plan = rollout_plan(length, n)
    pairs = list(zip(plan.prefix.tolist(), plan.rollout.tolist(), strict=True))
    assert pairs == list(itertools.product(range(1, length), range(n)))
    for position in range(length):
        assert plan.active(position) == sum(prefix <= position for prefix, _ in pairs)


@given(MATRICES, st.floats(0, 1))
def test_returns_obey_their_recursion(rewards: np.ndarray, discount: float) -> None:
    ours = returns(rewards, discount)
    expected = np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        expected = rewards[:, t] + discount * expected
        np.testing.assert_allclose(ours[:, t], expected, rtol=0, atol=1e-12)


@given(MATRICES)
def test_advantages_are_centred_as_they_say(q: np.ndarray) -> None:
    np.testing.assert_array_equal(advantages(q), q)
    np.testing.assert_allclose(advantages(q, baseline="time_mean").mean(0), 0, atol=1e-12)
    for b in range(len(q)):
        others = np.delete(q, b, axis=0).mean(0)
        np.testing.assert_allclose(advantages(q, baseline="leave_one_out")[b], q[b] - others, rtol=0, atol=1e-12)
    white = advantages(q, whiten=True)
    if np.ptp(q) > 1e-3:
        assert white.std() == pytest.approx(1, abs=1e-9)
        assert white.mean() == pytest.approx(0, abs=1e-9)


def test_equal_values_whiten_to_nothing() -> None:
    assert not advantages(np.full((3, 7), 0.1), baseline="leave_one_out", whiten=True).any()


@given(MATRICES)
def test_a_tensor_gives_the_same_tensor(q: np.ndarray) -> None:
    for ours in (
        lambda x: returns(x, 0.5),
        lambda x: advantages(x, baseline="leave_one_out", whiten=True),
        lambda x: rollout_q_values(x[:, :-1, None], x[:, 0]),
    ):
        tensor = ours(torch.tensor(q, requires_grad=True))
        assert tensor.dtype == torch.float64
        np.testing.assert_allclose(tensor.numpy(), ours(q), rtol=0, atol=1e-12)


def test_the_mean_over_continuations_is_arithmetic_and_within_its_own_sequence() -> None:
    # The defects of public code: a mean over another axis, and the exponential of a mean of logarithms.
    scores = np.arange(24.0).reshape(2, 3, 4)
    q = rollout_q_values(scores, np.array([100.0, 200.0]))
    np.testing.assert_array_equal(q, [[1.5, 5.5, 9.5, 100.0], [13.5, 17.5, 21.5, 200.0]])
    assert rollout_q_values(np.zeros((2, 0, 4)), np.ones(2)).tolist() == [[1.0], [1.0]]


def tiny() -> LSTMWeights:
    """A model of three tokens."""
    rng = np.random.default_rng(4)
    shapes = [(3, 2), (8, 2), (8, 2), (8,), (8,), (3, 2), (3,)]
    return LSTMWeights(*(1.5 * rng.standard_normal(shape).astype(np.float32) for shape in shapes))


def next_masses(weights: LSTMWeights, read: list[int]) -> np.ndarray:
    """The law of the token after those that were read, in float64."""
    w = [np.asarray(array, np.float64) for array in vars(weights).values()]
    h = c = np.zeros(2)
    for token in read:
        i, f, g, o = np.split(w[1] @ w[0][token] + w[3] + w[2] @ h + w[4], 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    masses = np.exp(w[5] @ h + w[6])
    return masses / masses.sum()


def exact_value(weights: LSTMWeights, prefix: list[int], reward: np.ndarray) -> float:
    """The expected reward of the prefix's completions, by enumeration."""
    if len(prefix) == 4:
        return float(reward[tuple(prefix)])
    masses = next_masses(weights, [0, *prefix])
    return sum(masses[token] * exact_value(weights, [*prefix, token], reward) for token in range(3))


def test_values_are_unbiased_and_their_variance_falls_as_one_over_n() -> None:
    weights, tokens = tiny(), np.array([[2, 0, 1, 1], [0, 0, 2, 1]])
    reward = np.random.default_rng(1).random((3, 3, 3, 3))
    exact = [[exact_value(weights, row[:t], reward) for t in (1, 2, 3, 4)] for row in tokens.tolist()]
    n = 40_000
    rows = lstm_rollout(weights, tokens, n, seed=11)
    scores = reward[tuple(np.moveaxis(rows, -1, 0))].transpose(1, 0, 2)
    final = reward[tuple(tokens.T)]
    deviation = scores.std(2)
    q = rollout_q_values(scores, final)
    assert (np.abs(q[:, :-1] - np.array(exact)[:, :-1]) < 4.5 * deviation / np.sqrt(n)).all()
    np.testing.assert_array_equal(q[:, -1], final)
    for size in (4, 16, 64):
        means = scores.reshape(2, 3, -1, size).mean(3)
        np.testing.assert_allclose(means.var(2) * size, deviation**2, rtol=0.15)


def test_bad_input_is_named() -> None:
    with pytest.raises(DomainError, match=r"`scores` must be finite; got nan at \(0, 1, 0\)"):
        rollout_q_values(np.array([[[0.0], [np.nan]]]), np.zeros(1))
    with pytest.raises(ShapeError, match="`final_scores`"):
        rollout_q_values(np.zeros((2, 1, 1)), np.zeros(3))
    with pytest.raises(ShapeError, match="continuation"):
        rollout_q_values(np.zeros((2, 1, 0)), np.zeros(2))
    with pytest.raises(DTypeError, match="both be tensors"):
        rollout_q_values(torch.zeros(2, 1, 1), np.zeros(2))
    with pytest.raises(ShapeError, match="at least 2 rows"):
        advantages(np.zeros((1, 3)), baseline="leave_one_out")
    wrong: Any = "mean_time"
    with pytest.raises(UnknownNameError, match="time_mean"):
        advantages(np.zeros((1, 3)), baseline=wrong)
    with pytest.raises(DomainError, match="discount"):
        returns(np.zeros((1, 3)), 1.5)
    with pytest.raises(DomainError, match="n_rollouts"):
        rollout_plan(3, 0)
