"""Convergence diagnostics against NumPy's formulas, exact values of autoregressions, their laws and the torch twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import BackendError, DomainError, DTypeError, ShapeError
from gancore.kernels._torch import diagnostics as twin
from gancore.kernels.diagnostics import effective_sample_size, nested_r_hat, r_hat


def autoregressions(chains: int, steps: int, rhos: np.ndarray, seed: int = 0) -> np.ndarray:
    """Stationary chains (chains, steps, len(rhos)) of variance 1."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(chains, steps, len(rhos)))
    for t in range(1, steps):
        draws[:, t] = rhos * draws[:, t - 1] + np.sqrt(1 - rhos**2) * draws[:, t]
    return draws


def halves(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return np.concatenate((draws[:, :half], draws[:, -half:]))


def oracle_r_hat(draws: np.ndarray) -> float:
    parts = halves(draws)
    n = parts.shape[1]
    within = parts.var(axis=1, ddof=1).mean()
    return math.sqrt(((n - 1) / n * within + parts.mean(axis=1).var(ddof=1)) / within)


def oracle_size(draws: np.ndarray) -> float:
    """With the variogram and lagged products written out."""
    parts = halves(draws)
    m, n = parts.shape
    within = parts.var(axis=1, ddof=1).mean()
    total = (n - 1) / n * within + parts.mean(axis=1).var(ddof=1)
    centred = parts - parts.mean(axis=1, keepdims=True)
    covariance = np.array([(centred[:, t:] * centred[:, : n - t]).sum() for t in range(n)]) / (m * (n - 1))
    rho = 1 - (within - covariance) / total
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    stop = next((i for i, pair in enumerate(pairs) if pair < 0), len(pairs))
    time = 2 * np.minimum.accumulate(pairs[:stop]).sum() - 1
    return float(m * n / max(time, 1 / math.log10(m * n)))


shapes = st.tuples(st.integers(1, 9), st.integers(4, 300), st.integers(1, 19))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(shape=shapes, seed=st.integers(0, 1000))
def test_agrees_with_numpy_and_the_twin(dtype: type, shape: tuple[int, int, int], seed: int) -> None:
    chains, steps, dims = shape
    draws = autoregressions(chains, steps, np.linspace(-0.6, 0.999, dims), seed).astype(dtype)
    tensor = torch.from_numpy(draws)
    for ours, other, exact in (
        (r_hat, twin.r_hat, oracle_r_hat),
        (effective_sample_size, twin.effective_sample_size, oracle_size),
    ):
        values = ours(draws)
        assert values.shape == (dims,)
        assert values.dtype == np.float64
        expected = [exact(draws[..., i].astype(np.float64)) for i in range(dims)]
        np.testing.assert_allclose(values, expected, rtol=1e-7)
        np.testing.assert_allclose(other(tensor), values, rtol=1e-7)
        assert torch.equal(ours(tensor), torch.from_numpy(values))


@given(superchains=st.integers(2, 5), members=st.integers(1, 6), steps=st.integers(1, 9), dims=st.integers(1, 17))
def test_nested_is_its_definition(superchains: int, members: int, steps: int, dims: int) -> None:
    if members * steps == 1:
        members = 2
    draws = np.random.default_rng(dims).normal(size=(superchains * members, steps, dims))
    groups = draws.reshape(superchains, members, steps, dims)
    means = groups.mean(axis=2)
    among = means.var(axis=1, ddof=1) if members > 1 else 0.0
    inside = groups.var(axis=2, ddof=1).mean(axis=1) if steps > 1 else 0.0
    exact = np.sqrt(1 + means.mean(axis=1).var(axis=0, ddof=1) / (among + inside + np.zeros((1, dims))).mean(axis=0))
    ours = nested_r_hat(draws, superchains=superchains)
    np.testing.assert_allclose(ours, exact, rtol=1e-10)
    np.testing.assert_allclose(twin.nested_r_hat(torch.from_numpy(draws), superchains=superchains), ours, rtol=1e-10)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.98, -0.3])
def test_effective_sample_size_of_an_autoregression(rho: float) -> None:
    """Exactly n (1 - rho) / (1 + rho) as n grows; of 40 chains of 4,000 steps within a tenth."""
    draws = autoregressions(40, 4000, np.array([rho]))[..., 0]
    assert effective_sample_size(draws) == pytest.approx(draws.size * (1 - rho) / (1 + rho), rel=0.1)


def test_r_hats_tell_distributions_apart() -> None:
    draws = autoregressions(20, 1000, np.array([0.3]))[..., 0]
    assert r_hat(draws) == pytest.approx(1.0, abs=0.01)
    assert nested_r_hat(draws, superchains=5) == pytest.approx(1.0, abs=0.01)
    # Means k apart with unit variance: between chains 20 means on a grid of variance 35.
    apart = draws + np.arange(20)[:, None]
    assert r_hat(apart) == pytest.approx(math.sqrt(1 + 35 * 40 / 39 * 19 / 20), rel=0.05)
    # Superchains of 4: their means have variance 40, their chains differ by a variance of 5/3.
    assert nested_r_hat(apart, superchains=5) == pytest.approx(math.sqrt(1 + 40 / (1 + 5 / 3)), rel=0.05)
    assert r_hat(draws + np.linspace(0, 10, 1000)) > 1.5


def test_many_chains_of_one_draw_are_judged_by_their_number() -> None:
    """The variance of a mean of k independent draws is 1/k of theirs."""
    draws = np.random.default_rng(0).normal(size=(64 * 1000, 1))
    assert nested_r_hat(draws, superchains=1000) ** 2 == pytest.approx(1 + 1 / 64, abs=0.003)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e4, 1e4), sign=st.sampled_from([-1, 1]))
def test_scale_shift_and_the_order_of_chains_change_nothing(scale: float, shift: float, sign: int) -> None:
    draws = autoregressions(8, 200, np.array([0.7]))[..., 0]
    other = sign * scale * draws[::-1] + shift
    assert r_hat(other) == pytest.approx(r_hat(draws), rel=1e-7)
    assert nested_r_hat(other, superchains=4) == pytest.approx(nested_r_hat(draws, superchains=4), rel=1e-7)
    assert effective_sample_size(other) == pytest.approx(effective_sample_size(draws), rel=1e-6)


def test_what_never_moves_has_no_diagnostics() -> None:
    for draws in (np.full((5, 100), 0.1), torch.full((5, 100), 0.1)):
        for value in (r_hat(draws), effective_sample_size(draws), nested_r_hat(draws, superchains=5)):
            assert math.isnan(value)
    stuck = np.arange(5.0).repeat(10).reshape(5, 10)
    assert r_hat(stuck) == math.inf
    assert math.isnan(effective_sample_size(stuck))
    assert math.isnan(twin.effective_sample_size(torch.from_numpy(stuck)))


@pytest.mark.parametrize("kind", ["kernel", "twin"])
def test_what_cannot_be_judged_is_refused_by_name(kind: str) -> None:
    def ask(function: str, draws: np.ndarray, **settings: int) -> object:
        if kind == "twin":
            return getattr(twin, function)(torch.from_numpy(draws), **settings)
        return {"r_hat": r_hat, "nested_r_hat": nested_r_hat}[function](draws, **settings)

    with pytest.raises(ShapeError, match="at least 1 chain of 4 steps; got 2 chains of 3 steps"):
        ask("r_hat", np.zeros((2, 3, 5)))
    with pytest.raises(ShapeError, match="`draws`"):
        ask("r_hat", np.zeros((0, 8)))
    with pytest.raises(DomainError, match="`superchains` must be at least 2 and divide the number of chains, 6; got 4"):
        ask("nested_r_hat", np.zeros((6, 8)), superchains=4)
    with pytest.raises(ShapeError, match="two chains or two steps"):
        ask("nested_r_hat", np.zeros((6, 1)), superchains=6)
    draws = np.zeros((3, 6, 2, 2))
    draws[1, 4, 0, 1] = math.inf
    with pytest.raises(DomainError, match="`draws` must be finite; got inf in chain 1, step 4, quantity 1"):
        ask("r_hat", draws)


def test_the_door_refuses_what_no_implementation_takes() -> None:
    with pytest.raises(ShapeError, match=r"`draws` must have shape \(chains, steps, \.\.\.\); got \(9,\)"):
        effective_sample_size(np.zeros(9))
    with pytest.raises(DomainError, match="superchains"):
        nested_r_hat(np.zeros((4, 4)), superchains=1)
    with pytest.raises(DTypeError, match="`draws`"):
        r_hat(torch.zeros(4, 9, dtype=torch.float16))
    with pytest.raises(BackendError, match="`draws` requires one"):
        r_hat(torch.zeros(4, 9, requires_grad=True))
