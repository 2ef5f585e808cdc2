"""What every registered game must do; a new file is tested because it exists."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from gancore import registry, systems
from gancore.games import Game
from gancore.training.state import TrainingState


@pytest.fixture(params=registry.names("games"))
def state(request: pytest.FixtureRequest) -> TrainingState:
    game = registry.get("games", request.param)()
    system = replace(systems.get("gan")(width=4, batch_size=6), game=game)
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")


def next_batch() -> torch.Tensor:
    return torch.ones(6, 2)


def test_is_a_frozen_value_with_a_reference(state: TrainingState) -> None:
    game = state.system.game
    assert isinstance(game, Game)
    assert type(game).__dataclass_params__.frozen
    assert game.reference.startswith("@")


def test_a_turn_moves_every_player_and_returns_finite_detached_scalars(state: TrainingState) -> None:
    before = copy.deepcopy({name: network.state_dict() for name, network in state.networks.items()})
    losses = state.system.game.turn(state, next_batch)
    for name, network in state.networks.items():
        assert any(not torch.equal(value, before[name][key]) for key, value in network.state_dict().items()), name
    assert {"critic", "generator"} <= losses.keys()
    assert all(loss.shape == () and loss.isfinite() and not loss.requires_grad for loss in losses.values())


def test_randomness_comes_from_the_state_alone(state: TrainingState) -> None:
    outside = torch.get_rng_state()
    inside = state.random.get_state()
    state.system.game.turn(state, next_batch)
    assert torch.equal(torch.get_rng_state(), outside)
    assert not torch.equal(state.random.get_state(), inside)
