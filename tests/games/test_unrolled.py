from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.games._steps import critic_step
from gancore.games.alternating import Alternating
from gancore.games.unrolled import Unrolled
from gancore.networks.mlp import MLP
from gancore.objectives.minimax import Minimax
from gancore.systems import System
from gancore.training.optimizers import SGD, Adam, RMSProp
from gancore.training.state import TrainingState

OPTIMIZERS = [Adam(lr=0.05, beta1=0.5, beta2=0.9), SGD(lr=0.1, momentum=0.5)]


def make_state(
    game: Unrolled | Alternating, critic_optimizer: object, precision: str = "float32", norm: str = "spectral"
) -> TrainingState:
    system = System(
        objective=Minimax(),
        networks=MLP(width=5, depth=2, critic_norm=norm),
        game=game,
        generator_optimizer=SGD(lr=0.1),
        critic_optimizer=critic_optimizer,
        latent_dim=3,
        batch_size=4,
        ema=None,
    )
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision=precision)


def batch() -> torch.Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=["adam", "sgd"])
def test_unrolled_steps_are_those_of_the_optimizer(settings: Adam | SGD) -> None:
    """From its memory in the middle of a run, on the same gradients."""
    gradients = [torch.randn(3, generator=torch.Generator().manual_seed(k)) for k in range(6)]
    gradients[5][1] = 0.0
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimizer = settings.build([parameter])
    for gradient in gradients[:3]:
        parameter.grad = gradient.clone()
        optimizer.step()
    moved, memory = [parameter.detach().clone()], settings.memory(optimizer, [parameter])
    for gradient in gradients[3:]:
        parameter.grad = gradient.clone()
        optimizer.step()
        moved, memory = settings.unrolled(moved, [gradient], memory)
    torch.testing.assert_close(moved[0], parameter.detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=["adam", "sgd"])
def test_generator_descends_the_loss_against_the_critic_ahead(settings: Adam | SGD) -> None:
    """The total derivative, by finite differences of really training a copied critic for three steps."""
    # Power iteration is no part of the derivative, so the difference must not see it either.
    state = make_state(Unrolled(steps=3), settings, norm="none")
    for name in state.networks:
        state.networks[name].double()
    state.optimizers["critic"] = settings.build(state.critic.parameters())
    codes, real = state.latents(4).double(), batch().double()
    state.latents = lambda _: codes  # type: ignore[method-assign]
    state.system.game.turn(state, lambda: real)  # the optimizer has moments now

    def ahead() -> float:
        critic = copy.deepcopy(state.critic)
        optimizer = settings.build(critic.parameters())
        optimizer.load_state_dict(copy.deepcopy(state.optimizers["critic"].state_dict()))
        fake = state.generator(codes).detach()
        for _ in range(3):
            optimizer.zero_grad()
            Minimax().critic(critic(real), critic(fake)).backward()
            optimizer.step()
        return Minimax().generator(critic(fake)).item()

    # The state after the critic's step of the next turn, without that of the generator.
    before = copy.deepcopy(state.generator.state_dict())
    state.system.game.turn(state, lambda: real)
    after = torch.nn.utils.parameters_to_vector(state.generator.parameters()).detach().clone()
    state.generator.load_state_dict(before)
    start = torch.nn.utils.parameters_to_vector(state.generator.parameters()).detach().clone()
    gradient = (start - after) / 0.1
    for i in range(0, len(start), 5):
        values = []
        for step in (1e-6, -1e-6):
            moved = start.clone()
            moved[i] += step
            torch.nn.utils.vector_to_parameters(moved, state.generator.parameters())
            values.append(ahead())
        torch.nn.utils.vector_to_parameters(start.clone(), state.generator.parameters())
        assert gradient[i].item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=["adam", "sgd"])
def test_the_critic_keeps_its_own_step_alone(settings: Adam | SGD) -> None:
    """Parameters, spectral vectors and moments, bit for bit as the alternating game leaves them before G's step."""
    ahead, plain = make_state(Unrolled(steps=4), settings), make_state(Alternating(), settings)
    ahead.system.game.turn(ahead, batch)
    critic_step(plain, batch())
    for key, value in ahead.critic.state_dict().items():
        assert torch.equal(value, plain.critic.state_dict()[key]), key
    for one, other in zip(
        ahead.optimizers["critic"].state_dict()["state"].values(),
        plain.optimizers["critic"].state_dict()["state"].values(),
        strict=True,
    ):
        assert all(one[key] is other[key] or torch.equal(one[key], other[key]) for key in one)


def test_without_steps_ahead_it_is_the_alternating_game() -> None:
    system = systems.get("gan")(networks="mlp", width=5, batch_size=4, critic_norm="none")
    states = [
        TrainingState.create(replace(system, game=game), (2,), seed=0, device=torch.device("cpu"), precision="float32")
        for game in (Unrolled(steps=0), Alternating())
    ]
    for state in states:
        for _ in range(3):
            state.system.game.turn(state, batch)
    one, other = (state.generator.state_dict() for state in states)
    assert all(torch.equal(value, other[key]) for key, value in one.items())


def test_what_cannot_be_unrolled_is_refused() -> None:
    with pytest.raises(DomainError, match="steps"):
        Unrolled(steps=-1)
    for state, match in (
        (make_state(Unrolled(), RMSProp()), "RMSProp"),
        (make_state(Unrolled(), Adam(), precision="bfloat16"), "precision"),
    ):
        with pytest.raises(IncompatibleChoiceError, match=match):
            state.system.game.turn(state, batch)
