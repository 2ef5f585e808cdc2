"""R1 and R2 on critics whose gradient is known, and what they are for: the game that circles settles."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gancore.objectives.minimax import Minimax
from gancore.regularizers.r1 import R1
from gancore.regularizers.r2 import R2


class Quadratic(nn.Module):
    """d(x) = a |x|^2 / 2, with gradient a x at x."""

    def __init__(self, a: float) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * self.a * x.flatten(1).square().sum(1)


@given(
    shape=st.sampled_from([(1,), (3,), (2, 4, 4)]),
    n=st.sampled_from([1, 7, 64]),
    a=st.floats(-3, 3),
    weight=st.floats(0, 9),
)
def test_each_sees_its_own_side(shape: tuple[int, ...], n: int, a: float, weight: float) -> None:
    generator = torch.Generator().manual_seed(n)
    real, fake = (torch.randn(n, *shape, generator=generator) for _ in range(2))
    for penalty, points in ((R1(weight=weight), real), (R2(weight=weight), fake)):
        expected = 0.5 * weight * a * a * points.flatten(1).square().sum(1).mean().item()
        got = penalty.penalty(Quadratic(a), real, fake, torch.Generator()).item()
        assert got == pytest.approx(expected, rel=1e-4, abs=1e-6)


def play(weight: float, steps: int) -> float:
    """Dirac-GAN (Mescheder et al. 2018, section 2): data at 0, a generator at theta, a critic d(x) = psi x."""
    critic = nn.Linear(1, 1, bias=False)
    nn.init.constant_(critic.weight, 1.0)
    judge = nn.Sequential(critic, nn.Flatten(0))
    theta = torch.ones(1, 1, requires_grad=True)
    real = torch.zeros(1, 1)
    for _ in range(steps):
        loss = Minimax().critic(judge(real), judge(theta.detach()))
        loss = loss + R1(weight=weight).penalty(judge, real, theta.detach(), torch.Generator())
        (slope,) = torch.autograd.grad(loss, critic.weight)
        (pull,) = torch.autograd.grad(Minimax().generator(judge(theta)), theta)
        with torch.no_grad():
            critic.weight -= 0.1 * slope
            theta -= 0.1 * pull
    return float(torch.hypot(theta.detach(), critic.weight.detach()))


def test_the_game_that_circles_settles() -> None:
    """Simultaneous descent leaves the equilibrium (0, 0) without the penalty, and reaches it with R1."""
    assert play(0.0, 500) > 1.0
    assert play(1.0, 500) < 1e-3
