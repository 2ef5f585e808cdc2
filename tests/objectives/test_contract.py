"""What every registered objective must do; a new file is tested because it exists."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
import torch

from gancore import registry
from gancore.objectives import AnyObjective, CriticKind, Objective, PairedObjective


def generator_loss(objective: AnyObjective, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return objective.generator(real, fake) if isinstance(objective, PairedObjective) else objective.generator(fake)


EXTREMES = torch.tensor([-1e4, -50.0, -1.0, 0.0, 1.0, 50.0, 1e4])


@pytest.fixture(params=registry.names("objectives"))
def objective(request: pytest.FixtureRequest) -> AnyObjective:
    return registry.get("objectives", request.param)()


def test_is_a_final_frozen_value(objective: AnyObjective) -> None:
    assert isinstance(objective, Objective) != isinstance(objective, PairedObjective)
    assert dataclasses.is_dataclass(objective)
    assert type(objective).__dataclass_params__.frozen
    assert objective == type(objective)()


def test_says_where_it_comes_from(objective: AnyObjective) -> None:
    assert objective.reference.startswith("@")
    assert objective.reference.count("{") == objective.reference.count("}")
    assert {line.split()[0] for line in objective.equations} == {"critic", "generator"}
    assert objective.critic_kind in get_args(CriticKind)


def test_losses_are_float32_scalars(objective: AnyObjective) -> None:
    real, fake = torch.randn(6), torch.randn(6)
    for loss in (objective.critic(real, fake), generator_loss(objective, real, fake)):
        assert loss.shape == ()
        assert loss.dtype == torch.float32


def test_each_loss_pulls_its_player_the_right_way(objective: AnyObjective) -> None:
    """Where the critic slightly rejects the fakes: further out a least-squares loss rightly pulls back."""
    real, fake = (torch.randn(8) * 0.1).requires_grad_(), (torch.randn(8) * 0.1 - 0.5).requires_grad_()
    on_real, on_fake = torch.autograd.grad(objective.critic(real, fake), (real, fake))
    (on_generated,) = torch.autograd.grad(generator_loss(objective, real.detach(), fake), fake)
    assert (on_real < 0).all(), "the critic wants its output on real samples up"
    assert (on_fake > 0).all(), "the critic wants its output on fakes down"
    assert (on_generated < 0).all(), "the generator wants the output on its fakes up"


def test_extreme_outputs_keep_losses_and_gradients_finite(objective: AnyObjective) -> None:
    real, fake = EXTREMES.clone().requires_grad_(), EXTREMES.clone().requires_grad_()
    loss = objective.critic(real, fake) + generator_loss(objective, real, fake)
    gradients = torch.autograd.grad(loss, (real, fake))
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)
