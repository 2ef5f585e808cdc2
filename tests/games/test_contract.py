"""What every registered game must do; a new file is tested because it exists."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from gancore import registry, systems
from gancore.games import Game
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = (5, 7)
"""Five tokens out of seven, for the game that plays with nothing else."""


@pytest.fixture(params=registry.names("games"))
def state(request: pytest.FixtureRequest) -> TrainingState:
    game = registry.get("games", request.param)()
    if request.param == "seqgan":
        game = replace(game, pretrain_steps=0, critic_pretrain_rounds=0, critic_samples=6)
        system = systems.get("seqgan")(width=4, batch_size=6).fitted(TOKENS)
        return TrainingState.create(
            replace(system, game=game), TOKENS, seed=0, device=torch.device("cpu"), precision="float32"
        )
    system = replace(systems.get("gan")(width=4, batch_size=6), game=game)
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")


def batches(state: TrainingState) -> Callable[[], torch.Tensor]:
    tokens = state.system.name == "seqgan"
    return lambda: torch.ones(6, TOKENS[0], dtype=torch.int64) if tokens else torch.ones(6, 2)


def test_is_a_frozen_value_with_a_reference(state: TrainingState) -> None:
    game = state.system.game
    assert isinstance(game, Game)
    assert type(game).__dataclass_params__.frozen
    assert game.reference.startswith("@")


def test_a_turn_moves_every_player_and_returns_finite_detached_scalars(state: TrainingState) -> None:
    before = copy.deepcopy({name: network.state_dict() for name, network in state.networks.items()})
    losses = state.system.game.turn(state, batches(state))
    for name, network in state.networks.items():
        assert any(not torch.equal(value, before[name][key]) for key, value in network.state_dict().items()), name
    assert {"critic", "generator"} <= losses.keys()
    assert all(loss.shape == () and loss.isfinite() and not loss.requires_grad for loss in losses.values())


def test_randomness_comes_from_the_state_alone(state: TrainingState) -> None:
    outside = torch.get_rng_state()
    inside = state.random.get_state()
    state.system.game.turn(state, batches(state))
    assert torch.equal(torch.get_rng_state(), outside)
    assert not torch.equal(state.random.get_state(), inside)
