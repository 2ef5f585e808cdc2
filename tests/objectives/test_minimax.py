from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancore.objectives.minimax import Minimax

COUNTS = st.lists(st.integers(1, 40), min_size=2, max_size=6)


def train_tabular_critic(p: np.ndarray, q: np.ndarray) -> torch.Tensor:
    """The output for each outcome that minimises the critic's loss on batches in which outcomes occur as counted."""
    real, fake = (torch.from_numpy(np.repeat(np.arange(len(p)), counts)) for counts in (p, q))
    table = torch.zeros(len(p), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [table], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = Minimax().critic(table[real], table[fake])
        loss.backward()
        return loss

    optimizer.step(closure)
    return table.detach()


def kl(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum(p * np.log(p / q)))


def jsd(p: np.ndarray, q: np.ndarray) -> float:
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


@given(st.data())
@settings(max_examples=30)
def test_optimal_critic_is_the_posterior_and_its_value_the_jensen_shannon_divergence(data: st.DataObject) -> None:
    """Goodfellow et al. 2014, proposition 1 and theorem 1: D* = p / (p + q), V = 2 JSD - 2 log 2."""
    p = np.array(data.draw(COUNTS))
    q = np.array(data.draw(st.lists(st.integers(1, 40), min_size=len(p), max_size=len(p))))
    table = train_tabular_critic(p, q)
    p, q = p / p.sum(), q / q.sum()
    np.testing.assert_allclose(table.sigmoid().numpy(), p / (p + q), atol=1e-3)
    d = table.numpy()
    value = -float(p @ np.logaddexp(0, -d) + q @ np.logaddexp(0, d))
    assert value == pytest.approx(2 * jsd(p, q) - 2 * math.log(2), abs=1e-4)


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
