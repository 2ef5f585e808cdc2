"""Consensus optimisation and gradient-norm regularisation: against steps by hand, and on the game that circles."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.games.alternating import Alternating
from gancore.games.consensus import Consensus
from gancore.games.gradient_norm import GradientNorm
from gancore.networks.mlp import MLP
from gancore.objectives.minimax import Minimax
from gancore.regularizers.r1 import R1
from gancore.regularizers.weight_clip import WeightClip
from gancore.systems import System
from gancore.training.optimizers import SGD
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from gancore.games import Game

EXAMPLE = Path(__file__).parents[2] / "examples/bilinear.py"


def make_state(game: Game, precision: str = "float32", **settings: object) -> TrainingState:
    system = System(
        objective=Minimax(),
        networks=MLP(width=5, depth=2),
        game=game,
        generator_optimizer=SGD(lr=0.1),
        critic_optimizer=SGD(lr=0.1),
        latent_dim=3,
        batch_size=4,
        ema=None,
        **settings,
    )
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision=precision)


def batch() -> torch.Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("game", [Consensus(weight=0.3), GradientNorm(weight=0.3)], ids=["consensus", "gradient_norm"])
def test_a_turn_is_the_step_of_the_paper(game: Game) -> None:
    """The terms' gradients by finite differences of the squared gradient norms, in float64."""
    state = make_state(game)
    networks = {name: network.double() for name, network in state.networks.items()}
    real = batch().double()
    codes = TrainingState.latents(state, 4).double()
    state.latents = lambda _: codes  # type: ignore[method-assign]
    before = {name: parameters(network) for name, network in networks.items()}

    def losses() -> dict[str, torch.Tensor]:
        fake = networks["generator"](codes)
        critic = networks["critic"]
        owed = Minimax().critic(critic(real), critic(fake))
        return {"critic": owed, "generator": Minimax().generator(critic(fake))}

    def field() -> dict[str, torch.Tensor]:
        owed = losses()
        return {
            name: torch.cat([g.flatten() for g in torch.autograd.grad(owed[name], list(networks[name].parameters()))])
            for name in owed
        }

    def term(name: str) -> float:
        v = field()
        if isinstance(game, Consensus):
            return 0.5 * game.weight * sum(part.square().sum().item() for part in v.values())
        return game.weight * v["critic"].square().sum().item() if name == "generator" else 0.0

    expected = {}
    plain = field()
    for name, network in networks.items():
        flat = before[name]
        extra = torch.zeros_like(flat)
        for i in range(0, len(flat), 7):
            values = []
            for step in (1e-5, -1e-5):
                moved = flat.clone()
                moved[i] += step
                torch.nn.utils.vector_to_parameters(moved, network.parameters())
                values.append(term(name))
            extra[i] = (values[0] - values[1]) / 2e-5
        torch.nn.utils.vector_to_parameters(flat.clone(), network.parameters())
        expected[name] = (flat - 0.1 * (plain[name] + extra))[::7]
    game.turn(state, lambda: real)
    for name, network in networks.items():
        torch.testing.assert_close(parameters(network)[::7], expected[name], rtol=1e-6, atol=1e-9)


def parameters(network: torch.nn.Module) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_on_the_bilinear_game_descent_circles_and_both_cures_converge() -> None:
    path = runpy.run_path(str(EXAMPLE))["path"]
    circling = path(Alternating(), 400).norm(dim=1)
    assert circling.min() > 0.7
    assert circling.max() < 1.5
    assert path(Consensus(weight=0.5), 400)[-1].norm() < 1e-3
    assert path(GradientNorm(weight=0.5), 400)[-1].norm() < 1e-3


@pytest.mark.parametrize("game", [Consensus, GradientNorm])
def test_without_its_term_it_is_simultaneous_descent(game: type[Consensus]) -> None:
    state = make_state(game(weight=0.0), regularizers=(R1(), WeightClip(limit=0.2)))
    losses = game(weight=0.0).turn(state, batch)
    assert losses.keys() == {"critic", "r1", "generator"}
    assert parameters(state.critic).abs().max() <= 0.2
    with pytest.raises(DomainError, match="weight"):
        game(weight=-1.0)


def test_half_precision_is_refused() -> None:
    state = make_state(Consensus(), precision="bfloat16")
    with pytest.raises(IncompatibleChoiceError, match="precision"):
        state.system.game.turn(state, batch)
