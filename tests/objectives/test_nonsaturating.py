from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.objectives.minimax import Minimax
from gancore.objectives.nonsaturating import Nonsaturating

LOGITS = st.lists(st.floats(-2, 2), min_size=4, max_size=4)


def kl(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    return (p * (p / q).log()).sum()


def expected_critic_loss(table: torch.Tensor, p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """The loss over whole distributions: outcome by outcome, with the other side's term at zero."""
    sure = torch.full((1,), 1e3, dtype=table.dtype)
    real = torch.stack([Nonsaturating().critic(d, -sure) for d in table.split(1)])
    fake = torch.stack([Nonsaturating().critic(sure, d) for d in table.split(1)])
    return p @ real + q @ fake


@given(LOGITS, LOGITS)
def test_generator_gradient_at_the_optimal_critic(real_logits: list[float], fake_logits: list[float]) -> None:
    """Arjovsky and Bottou 2017, theorem 2.5: the gradient of KL(q, p) - 2 JSD(q, p), with D* held fixed."""
    p = torch.tensor(real_logits, dtype=torch.float64).softmax(0)
    theta = torch.tensor(fake_logits, dtype=torch.float64, requires_grad=True)
    q = theta.softmax(0)
    critic = (p.log() - q.log()).detach().requires_grad_()
    (slope,) = torch.autograd.grad(expected_critic_loss(critic, p, q.detach()), critic)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-12)  # convex: so it is the optimum
    losses = torch.stack([Nonsaturating().generator(d) for d in critic.detach().split(1)])
    (gradient,) = torch.autograd.grad((q * losses).sum(), theta, retain_graph=True)
    m = (p + q) / 2
    jsd = (kl(p, m) + kl(q, m)) / 2
    (expected,) = torch.autograd.grad(kl(q, p) - 2 * jsd, theta)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-5)


def test_critic_is_that_of_the_minimax_game() -> None:
    real, fake = torch.randn(9), torch.randn(9)
    assert torch.equal(Nonsaturating().critic(real, fake), Minimax().critic(real, fake))


def test_gradient_does_not_vanish_where_the_critic_wins() -> None:
    """The reason for this objective: at d = -20 the minimax generator hardly moves, this one moves at full speed."""
    fake = torch.full((1,), -20.0, requires_grad=True)
    (slope,) = torch.autograd.grad(Nonsaturating().generator(fake), fake)
    (saturated,) = torch.autograd.grad(Minimax().generator(fake), fake)
    assert slope.item() < -0.999
    assert abs(saturated.item()) < 1e-8
