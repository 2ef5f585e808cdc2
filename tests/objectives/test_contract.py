"""What every registered objective must do; a new file is tested because it exists."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
import torch

from gancore import registry
from gancore.objectives import AnyObjective, CriticKind, Objective, PairedObjective


def outputs(objective: AnyObjective, n: int, *, at: float = 0.0, spread: float = 1.0) -> torch.Tensor:
    """Random outputs of a critic on n samples, in the shape that the objective asks for."""
    shape = (n,) if objective.outputs == 1 else (n, objective.outputs)
    return at + spread * torch.randn(shape)


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
    real, fake = outputs(objective, 6), outputs(objective, 6)
    for loss in (objective.critic(real, fake), generator_loss(objective, real, fake)):
        assert loss.shape == ()
        assert loss.dtype == torch.float32


def test_each_loss_pulls_its_player_the_right_way(objective: AnyObjective) -> None:
    """Where the critic slightly rejects the fakes: further out a least-squares loss rightly pulls back."""
    real = outputs(objective, 8, spread=0.1).requires_grad_()
    fake = outputs(objective, 8, at=-0.5, spread=0.1).requires_grad_()
    if objective.outputs > 1:
        towards, away = (generator_loss(objective, real, fake + step).item() for step in (0.1, -0.1))
        assert towards < away, "the generator wants its features where the real ones are"
        torch.testing.assert_close(objective.critic(real, fake), -generator_loss(objective, real, fake))
        return
    on_real, on_fake = torch.autograd.grad(objective.critic(real, fake), (real, fake))
    (on_generated,) = torch.autograd.grad(generator_loss(objective, real.detach(), fake), fake)
    assert (on_real < 0).all(), "the critic wants its output on real samples up"
    assert (on_fake > 0).all(), "the critic wants its output on fakes down"
    assert (on_generated < 0).all(), "the generator wants the output on its fakes up"


def test_extreme_outputs_keep_losses_and_gradients_finite(objective: AnyObjective) -> None:
    extremes = EXTREMES if objective.outputs == 1 else EXTREMES[:, None].expand(-1, objective.outputs)
    real, fake = extremes.clone().requires_grad_(), extremes.clone().flip(0).requires_grad_()
    loss = objective.critic(real, fake) + generator_loss(objective, real, fake)
    gradients = torch.autograd.grad(loss, (real, fake))
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)
