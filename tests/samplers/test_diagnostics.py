from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gancore.samplers._diagnostics import effective_sample_size, nested_r_hat, split_r_hat
from gancore.samplers._langevin import State, log_acceptance
from gancore.samplers._tuning import TARGET_ACCEPTANCE, DualAveraging

RNG = np.random.default_rng(0)


def autoregressive(rho: float, chains: int, steps: int) -> np.ndarray:
    noise = RNG.normal(size=(chains, steps)) * math.sqrt(1 - rho**2)
    draws = np.empty((chains, steps))
    draws[:, 0] = RNG.normal(size=chains)
    for t in range(1, steps):
        draws[:, t] = rho * draws[:, t - 1] + noise[:, t]
    return draws


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.3])
def test_effective_sample_size_of_an_autoregression(rho: float) -> None:
    """Exactly n (1 - rho) / (1 + rho) as n grows."""
    draws = autoregressive(rho, 40, 2000)
    expected = draws.size * (1 - rho) / (1 + rho)
    assert effective_sample_size(draws) == pytest.approx(expected, rel=0.1)


def test_r_hat_is_one_for_one_distribution_and_large_for_several() -> None:
    draws = autoregressive(0.3, 20, 1000)
    assert split_r_hat(draws) == pytest.approx(1.0, abs=0.01)
    # Means k apart with unit variance: (total / within)^(1/2), between chains 20 x 10 on a grid of variance 35.
    apart = draws + np.arange(20)[:, None]
    assert split_r_hat(apart) == pytest.approx(math.sqrt(1 + 35 * 40 / 39 * 19 / 20), rel=0.05)
    drifting = draws + np.linspace(0, 10, 1000)
    assert split_r_hat(drifting) > 1.5


def test_nested_r_hat_sees_what_short_chains_remember() -> None:
    """Chains of x' = rho x + noise for two draws: after k steps rho^k of the start is left."""
    starts = RNG.normal(size=512)

    def after(k: int, rho: float = 0.8) -> np.ndarray:
        first = rho**k * starts + math.sqrt(1 - rho ** (2 * k)) * RNG.normal(size=512)
        second = rho * first + math.sqrt(1 - rho**2) * RNG.normal(size=512)
        return np.stack((first, second), axis=1)

    forgotten = after(40)
    assert split_r_hat(forgotten) is None, "two draws are too few for the usual one"
    # Two draws of correlation rho: their mean has variance (1 + rho)/2, and 32 members share a group.
    assert nested_r_hat(forgotten, starts) == pytest.approx(math.sqrt(1 + 0.9 / 32), abs=0.02)
    found = [nested_r_hat(after(k), starts) for k in (0, 1, 3, 8, 40)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 1.8
    assert nested_r_hat(np.stack((starts, starts), axis=1), starts) > 3
    assert found[2] > 1.1
    # In any order of the chains: the groups are those of their starts.
    order = RNG.permutation(512)
    assert nested_r_hat(forgotten[order], starts[order]) == pytest.approx(nested_r_hat(forgotten, starts))
    assert nested_r_hat(forgotten[:15], starts[:15]) is None
    assert nested_r_hat(np.zeros((32, 2)), starts[:32]) is None


def test_too_little_to_judge_by() -> None:
    for draws in (np.zeros((5, 100)), RNG.normal(size=(5, 3))):
        assert split_r_hat(draws) is None
        assert effective_sample_size(draws) is None


def test_scale_and_shift_change_nothing() -> None:
    draws = autoregressive(0.7, 8, 200)
    assert split_r_hat(1e4 + 1e-3 * draws) == pytest.approx(split_r_hat(draws), rel=1e-6)
    assert effective_sample_size(-5 * draws) == pytest.approx(effective_sample_size(draws), rel=1e-9)


@pytest.mark.parametrize("initial", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("rate", [0.2, 5.0])
def test_dual_averaging_finds_the_step_of_the_target(initial: float, rate: float) -> None:
    tuning = DualAveraging(initial)
    for _ in range(400):
        tuning.update(math.exp(-rate * tuning.step_size))
    assert tuning.average == pytest.approx(-math.log(TARGET_ACCEPTANCE) / rate, rel=0.05)


def test_the_log_ratio_is_the_one_of_the_proposal_densities() -> None:
    """Against log p(u')/p(u) + log q(u|u')/q(u'|u) with squared norms, in double precision."""
    torch.manual_seed(0)
    old, new = torch.randn(50, 128), torch.randn(50, 128)
    g_old, g_new = torch.randn(50, 128), torch.randn(50, 128)
    e_old, e_new = torch.randn(50).double(), torch.randn(50).double()
    for eta in (1e-3, 0.7):
        got = log_acceptance(State(old, e_old, g_old, 0), State(new, e_new, g_new, 0), eta)
        backward = -(old.double() - new.double() + eta * g_new.double()).square().sum(dim=1) / (4 * eta)
        forward = -(new.double() - old.double() + eta * g_old.double()).square().sum(dim=1) / (4 * eta)
        torch.testing.assert_close(got, e_old - e_new + backward - forward, rtol=1e-9, atol=1e-7)


def test_the_log_ratio_does_not_cancel() -> None:
    """For E = |u|^2 / 2 it is -(eta / 4) (|u'|^2 - |u|^2), however small the step."""
    torch.manual_seed(0)
    eta = 1e-6
    old = torch.randn(20, 512)
    new = old - eta * old + math.sqrt(2 * eta) * torch.randn(20, 512)
    states = [State(u, u.double().square().sum(dim=1) / 2, u, 0) for u in (old, new)]
    expected = -eta / 4 * (new.double().square().sum(dim=1) - old.double().square().sum(dim=1))
    torch.testing.assert_close(log_acceptance(*states, eta), expected, rtol=1e-5, atol=1e-12)
