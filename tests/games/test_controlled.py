"""Games with a state of their own: Fisher's multiplier and BEGAN's balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from gancore import systems
from gancore.datasets import load
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.games.equilibrium import Equilibrium
from gancore.games.fisher import Fisher
from gancore.networks import NetworkFamily, choose
from gancore.objectives.wasserstein import Wasserstein
from gancore.systems import System
from gancore.training import train
from gancore.training.optimizers import SGD
from gancore.training.state import TrainingState

P = torch.tensor([0.5, 0.3, 0.2])
Q = torch.tensor([0.1, 0.3, 0.6])


class Fixed(nn.Module):
    """A generator that gives outcomes as often as Q says, whatever the codes; its parameter does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        counts = (Q * len(z)).round().long()
        return torch.repeat_interleave(torch.eye(3), counts, dim=0) + 0 * self.unused


@dataclass(frozen=True)
class Tabular(NetworkFamily):
    """A critic with one output an outcome."""

    critic_norm: ClassVar[str] = "none"
    reference: ClassVar[str] = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        return Fixed()

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 1, bias=False), nn.Flatten(0))


def test_fisher_reaches_the_constraint_and_its_value_the_chi_squared_distance() -> None:
    """Mroueh and Sercu 2017, theorem 1: the square root of sum (p - q)^2 / ((p + q) / 2), with Omega = 1."""
    system = System(
        objective=Wasserstein(),
        networks=Tabular(),
        game=Fisher(rho=0.1, critic_steps=1),
        generator_optimizer=SGD(lr=1e-9),
        critic_optimizer=SGD(lr=0.3),
        latent_dim=1,
        batch_size=10,
        ema=None,
    )
    state = TrainingState.create(system, (3,), seed=0, device=torch.device("cpu"), precision="float32")
    real = torch.repeat_interleave(torch.eye(3), (P * 10).round().long(), dim=0)
    for _ in range(800):
        losses = system.game.turn(state, lambda: real)
    assert losses["second_moment"].item() == pytest.approx(1.0, abs=0.05)
    distance = ((P - Q).square() / ((P + Q) / 2)).sum().sqrt().item()
    assert -losses["critic"].item() == pytest.approx(distance, rel=0.02)
    # At the saddle the gradient of the gap is that of the constraint: lambda is half the distance over Omega's slope.
    assert state.memory["fisher/multiplier"].item() == pytest.approx(distance / 2, rel=0.05)


def test_began_moves_its_balance_by_the_errors_and_keeps_it_in_bounds() -> None:
    system = systems.get("began")(width=8, code=2, batch_size=8, rate=0.5, gamma=0.6)
    state = TrainingState.create(system, (1, 4, 4), seed=0, device=torch.device("cpu"), precision="float32")
    real = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    k = 0.0
    for _ in range(30):
        losses = {name: loss.item() for name, loss in system.game.turn(state, lambda: real).items()}
        # The critic's loss alone is L(x) - L(G); with what it gives up, L(x) - k L(G).
        on_fake = losses["given_up"] / (1 - k) if k < 1 else None
        if on_fake is None:
            break
        on_real = losses["critic"] + on_fake
        k = min(max(k + 0.5 * (0.6 * on_real - on_fake), 0.0), 1.0)
        assert losses["balance"] == pytest.approx(k, abs=1e-5)
        assert losses["convergence"] == pytest.approx(on_real + abs(0.6 * on_real - on_fake), rel=1e-4)


def test_began_converges_on_digits() -> None:
    run = train(systems.get("began")(), load("digits"), steps=300, seed=0, log_every=20, progress=False)
    measures = [entry["convergence"] for entry in run.history]
    assert sum(measures[-3:]) < 0.6 * sum(measures[:3])
    assert all(0 <= entry["balance"] <= 1 for entry in run.history)


@pytest.mark.parametrize("settings", [{"gamma": 0.0}, {"gamma": 1.1}, {"rate": 0.0}])
def test_equilibrium_settings_out_of_range_raise(settings: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(settings))):
        Equilibrium(**settings)


@pytest.mark.parametrize("settings", [{"rho": 0.0}, {"critic_steps": 0}])
def test_fisher_settings_out_of_range_raise(settings: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(settings))):
        Fisher(**settings)


def test_an_error_is_one_output() -> None:
    with pytest.raises(IncompatibleChoiceError, match="one output"):
        choose("autoencoder").critic((2,), 3)
