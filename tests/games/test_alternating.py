from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from gancore.errors import DomainError
from gancore.games.alternating import Alternating
from gancore.networks.mlp import MLP
from gancore.objectives.minimax import Minimax
from gancore.objectives.wasserstein import Wasserstein
from gancore.regularizers.gradient_penalty import GradientPenalty
from gancore.regularizers.weight_clip import WeightClip
from gancore.systems import System
from gancore.training.optimizers import Adam
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.networks import Norm


class Descent:
    """Plain gradient descent, so that a step can be written down by hand."""

    def build(self, parameters: object) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=0.1)


def make_state(game: Alternating, precision: str = "float32", **settings: object) -> TrainingState:
    defaults = {"objective": Minimax(), "generator_optimizer": Descent(), "critic_optimizer": Descent()}
    defaults["networks"] = MLP(width=6, depth=2)
    system = System(**(defaults | settings), game=game, latent_dim=3, batch_size=5, ema=None)
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision=precision)


def batches() -> Callable[[], torch.Tensor]:
    source = torch.Generator().manual_seed(1)
    return lambda: torch.randn(5, 2, generator=source)


def flat(network: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("critic_steps", [0, -1])
def test_without_critic_steps_there_is_no_game(critic_steps: int) -> None:
    with pytest.raises(DomainError, match="critic_steps"):
        Alternating(critic_steps=critic_steps)


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_each_player_gets_its_own_gradients_and_no_others(critic_steps: int) -> None:
    state = make_state(Alternating(critic_steps=critic_steps), regularizers=(GradientPenalty(),))
    received: Counter[str] = Counter()
    for name, network in state.networks.items():
        first = next(network.parameters())
        first.register_post_accumulate_grad_hook(lambda _, name=name: received.update([name]))
    Alternating(critic_steps=critic_steps).turn(state, batches())
    assert received == {"critic": critic_steps, "generator": 1}
    assert all(parameter.requires_grad for parameter in state.critic.parameters())


@pytest.mark.parametrize(("norm", "passes"), [("none", 1), ("batch", 2)])
def test_networks_run_no_more_often_than_the_algorithm_asks(norm: Norm, passes: int) -> None:
    """Each critic step: the generator once, the critic on real and fake as one batch, or on each where batch
    normalisation tells them apart. The generator step: each once."""
    state = make_state(Alternating(critic_steps=3), networks=MLP(width=6, depth=2, critic_norm=norm))
    calls: Counter[str] = Counter()
    for name, network in state.networks.items():
        network.register_forward_hook(lambda *_, name=name: calls.update([name]))
    drawn: list[torch.Tensor] = []
    source = batches()
    Alternating(critic_steps=3).turn(state, lambda: drawn.append(source()) or drawn[-1])
    assert calls == {"generator": 3 + 1, "critic": 3 * passes + 1}
    assert len(drawn) == 3
    assert not torch.equal(drawn[0], drawn[1])


def test_a_turn_equals_the_steps_written_out() -> None:
    """Two critic steps on objective plus penalty, one generator step, by plain gradient descent at rate 0.1."""
    penalty = GradientPenalty(weight=2.0)
    state = make_state(Alternating(critic_steps=2), objective=Wasserstein(), regularizers=(penalty,))
    generator, critic = copy.deepcopy(state.generator), copy.deepcopy(state.critic)
    random = torch.Generator().manual_seed(0)
    random.set_state(state.random.get_state())
    source = batches()
    losses = Alternating(critic_steps=2).turn(state, batches())

    def descend(network: nn.Module, loss: torch.Tensor) -> None:
        gradients = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                if gradient is not None:
                    parameter.sub_(0.1 * gradient)

    for _ in range(2):
        real, fake = source(), generator(torch.randn(5, 3, generator=random)).detach()
        gap = critic(fake).mean() - critic(real).mean()
        extra = penalty.penalty(critic, real, fake, random)
        descend(critic, gap + extra)
    last = -critic(generator(torch.randn(5, 3, generator=random))).mean()
    descend(generator, last)
    torch.testing.assert_close(flat(state.critic), flat(critic))
    torch.testing.assert_close(flat(state.generator), flat(generator))
    expected = {"critic": gap, "gradient_penalty": extra, "generator": last}
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        torch.testing.assert_close(loss, expected[name].detach())


def test_losses_carry_no_graph() -> None:
    losses = Alternating().turn(make_state(Alternating(), regularizers=(GradientPenalty(),)), batches())
    assert all(loss.shape == () and not loss.requires_grad for loss in losses.values())


def test_projection_follows_the_critics_step_and_leaves_the_generator() -> None:
    state = make_state(Alternating(), regularizers=(WeightClip(limit=0.01),), generator_optimizer=Adam(lr=1e-6))
    before = flat(state.generator)
    Alternating().turn(state, batches())
    assert flat(state.critic).abs().max() <= 0.01
    assert flat(state.generator).abs().max() > 0.1
    torch.testing.assert_close(flat(state.generator), before, atol=1e-5, rtol=0)


def test_bfloat16_keeps_weights_losses_and_penalties_in_float32() -> None:
    state = make_state(Alternating(), precision="bfloat16", regularizers=(GradientPenalty(),))
    seen: list[torch.dtype] = []
    state.critic.register_forward_hook(lambda *inputs_and_output: seen.append(inputs_and_output[-1].dtype))
    losses = Alternating().turn(state, batches())
    assert seen == [torch.bfloat16, torch.float32, torch.bfloat16], "real and fake, penalty, generator"
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    assert flat(state.critic).dtype == flat(state.generator).dtype == torch.float32
    exact = Alternating().turn(make_state(Alternating(), regularizers=(GradientPenalty(),)), batches())
    assert losses["critic"].item() == pytest.approx(exact["critic"].item(), rel=0.05)


@pytest.mark.gpu
def test_a_turn_on_cuda_stays_there() -> None:
    system = make_state(Alternating(critic_steps=2), regularizers=(GradientPenalty(),)).system
    device = torch.device("cuda")
    state = TrainingState.create(system, (2,), seed=0, device=device, precision="bfloat16")
    losses = system.game.turn(state, lambda: torch.randn(5, 2, device=device))
    assert all(loss.device.type == "cuda" and loss.isfinite() for loss in losses.values())
