from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancore.objectives.minimax import Minimax

Optimum = Callable[[Minimax, np.ndarray, np.ndarray], tuple[np.ndarray, float]]
COUNTS = st.lists(st.integers(1, 40), min_size=2, max_size=6)


def kl(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum(p * np.log(p / q)))


def jsd(p: np.ndarray, q: np.ndarray) -> float:
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


@given(st.data())
@settings(max_examples=30)
def test_optimal_critic_is_the_posterior_and_its_value_the_jensen_shannon_divergence(
    tabular_optimum: Optimum, data: st.DataObject
) -> None:
    """Goodfellow et al. 2014, proposition 1 and theorem 1: D* = p / (p + q), V = 2 JSD - 2 log 2."""
    p = np.array(data.draw(COUNTS))
    q = np.array(data.draw(st.lists(st.integers(1, 40), min_size=len(p), max_size=len(p))))
    table, loss = tabular_optimum(Minimax(), p, q)
    p, q = p / p.sum(), q / q.sum()
    np.testing.assert_allclose(1 / (1 + np.exp(-table)), p / (p + q), atol=1e-3)
    assert -loss == pytest.approx(2 * jsd(p, q) - 2 * math.log(2), abs=1e-4)


def test_generator_gets_what_the_critic_loses_on_fakes() -> None:
    """Zero sum: the losses add up to what the critic pays on real samples, which the generator cannot change."""
    real, fake = torch.randn(7), torch.randn(7)
    on_real = torch.log1p(torch.exp(-real)).mean()
    torch.testing.assert_close(Minimax().critic(real, fake) + Minimax().generator(fake), on_real)


def test_generator_gradient_at_the_optimal_critic_is_that_of_twice_the_divergence() -> None:
    p = torch.tensor([0.5, 0.2, 0.2, 0.1], dtype=torch.float64)
    theta = torch.tensor([0.1, -0.4, 0.7, 0.3], dtype=torch.float64, requires_grad=True)
    q = theta.softmax(0)
    optimal = (p.log() - q.log()).detach()
    losses = torch.stack([Minimax().generator(optimal[i : i + 1]) for i in range(4)])
    (gradient,) = torch.autograd.grad((q * losses).sum(), theta, retain_graph=True)
    m = (p + q) / 2
    divergence = 0.5 * (p * (p / m).log()).sum() + 0.5 * (q * (q / m).log()).sum()
    (expected,) = torch.autograd.grad(2 * divergence, theta)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-10)
