"""Games that steady the players: what each does to them, on networks small enough to follow by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from gancore import registry, systems
from gancore.datasets import as_data
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.games._steps import critic_step
from gancore.games.alternating import Alternating
from gancore.games.feature_matching import FeatureMatching
from gancore.games.freezing import Freezing
from gancore.games.head_start import HeadStart
from gancore.games.historical_averaging import HistoricalAveraging
from gancore.games.replay import Replay
from gancore.games.target_network import TargetNetwork
from gancore.objectives.wasserstein import Wasserstein
from gancore.training import train
from gancore.training.checkpoint import list_checkpoints, load
from gancore.training.optimizers import SGD
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.games import Game


def make_state(game: Game, **settings: object) -> TrainingState:
    system = replace(systems.get("gan")(width=6, depth=2, batch_size=8, ema=None), game=game, **settings)
    return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")


def batches(at: float = 0.0) -> Callable[[], torch.Tensor]:
    source = torch.Generator().manual_seed(1)
    return lambda: at + torch.randn(8, 2, generator=source)


def parameters(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("name", registry.names("games"))
def test_every_game_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    """What a game remembers between turns is in the checkpoint; games of tokens are resumed with their systems."""
    game = registry.get("games", name)()
    if game.discrete:
        pytest.skip("plays with tokens")
    if isinstance(game, Replay):
        game = Replay(capacity=10)
    system = replace(systems.get("gan")(width=4, batch_size=6), game=game)
    points = as_data(torch.randn(40, 2, generator=torch.Generator().manual_seed(2)))
    quiet = {"progress": False, "log_every": 1, "device": "cpu", "seed": 3}
    train(system, points, steps=8, out=tmp_path / "whole", **quiet)
    train(system, points, steps=3, out=tmp_path / "parts", **quiet)
    train(system, points, steps=8, out=tmp_path / "parts", resume=True, **quiet)
    whole, parts = (load(list_checkpoints(tmp_path / side / "checkpoints")[0]) for side in ("whole", "parts"))
    assert whole.tensors.keys() == parts.tensors.keys()
    for key, tensor in whole.tensors.items():
        assert torch.equal(tensor, parts.tensors[key]), key


def test_feature_matching_descends_the_distance_of_mean_features() -> None:
    """Against the features written out: the critic without its last layer."""
    state, twin = make_state(FeatureMatching()), make_state(FeatureMatching())
    real = batches()()
    losses = FeatureMatching().turn(state, lambda: real)
    critic_step(twin, real)
    fake = twin.generator(twin.latents(8))
    body = nn.Sequential(*list(twin.critic.children())[:-2])
    expected = (body(real).mean(0) - body(fake).mean(0)).square().sum()
    torch.testing.assert_close(losses["generator"], expected.detach())
    assert all(p.requires_grad for p in state.critic.parameters())


def test_feature_matching_needs_a_linear_layer() -> None:
    state = make_state(FeatureMatching())
    state.networks["critic"] = _Norm()
    state.forward["critic"] = state.networks["critic"]
    with pytest.raises(IncompatibleChoiceError, match=r"feature_matching.*linear"):
        FeatureMatching().turn(state, batches())


class _Norm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * x.norm(dim=1)


def test_history_is_the_mean_of_all_former_parameters() -> None:
    game = HistoricalAveraging(weight=0.5)
    state = make_state(game)
    source = batches()
    paths: dict[str, list[torch.Tensor]] = {name: [parameters(net)] for name, net in state.networks.items()}
    for _ in range(4):
        losses = game.turn(state, source)
        state.step += 1
        for name, network in state.networks.items():
            paths[name].append(parameters(network))
    for name, network in state.networks.items():
        kept = torch.cat(
            [state.memory[f"historical_averaging/{name}/{key}"].flatten() for key, _ in network.named_parameters()]
        )
        torch.testing.assert_close(kept, torch.stack(paths[name]).mean(0))
    apart = paths["critic"][3] - torch.stack(paths["critic"][:4]).mean(0)
    torch.testing.assert_close(losses["history"], 0.5 * apart.square().sum())


def test_history_draws_the_circling_game_to_its_centre() -> None:
    """v(a, b) = a b: alternating descent circles, the pull to the past spirals in."""
    ends = {}
    for game in (Alternating(), HistoricalAveraging(weight=0.5)):
        ends[type(game)] = _bilinear(game)
    assert ends[Alternating] > 0.5
    assert ends[HistoricalAveraging] < 0.5 * ends[Alternating]


def _bilinear(game: Game) -> float:
    """How far from (0, 0) the game ends from (1, 1), by gradient descent at rate 0.1."""
    state = make_state(game, objective=Wasserstein(), generator_optimizer=SGD(lr=0.1), critic_optimizer=SGD(lr=0.1))
    networks = {"generator": _Point(), "critic": _Slope()}
    state.networks.update(networks)
    state.forward.update(networks)
    state.optimizers.update({name: SGD(lr=0.1).build(net.parameters()) for name, net in networks.items()})
    for _ in range(400):
        game.turn(state, lambda: torch.zeros(8, 1))
        state.step += 1
    return float(torch.hypot(networks["generator"].at.detach(), networks["critic"].slope.detach()))


class _Point(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.ones(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.at.expand(len(z), 1)


class _Slope(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope * x[:, 0]


def test_the_pool_fills_then_exchanges_half_a_batch() -> None:
    game = Replay(capacity=12)
    state = make_state(game)
    shown = [torch.full((8, 2), float(turn)) for turn in range(4)]
    seen = [game._exchange(state, fresh) for fresh in shown]
    assert torch.equal(seen[0], shown[0])
    assert torch.equal(seen[1], shown[1])
    pool = state.memory["replay/pool"]
    assert pool.shape == (12, 2)
    for turn in (2, 3):
        assert (seen[turn][:, 0] == turn).sum() == 4
        assert (seen[turn][:, 0] < turn).sum() == 4
    assert (shown[2] == 2).all(), "the fresh fakes themselves are left alone"
    held = torch.cat([pool, seen[2], seen[3]])[:, 0]
    assert torch.bincount(held.long()).tolist()[2:] == [8, 8], "what left a batch is in the pool or was shown later"


def test_a_critic_that_wins_rests_until_it_does_not() -> None:
    """Samples far apart can be told apart; those of the generator itself cannot."""
    game = Freezing(upper=0.9, lower=0.6)
    state = make_state(game)
    source = batches(at=5.0)
    turns = 0
    while not (rests := bool(state.memory.get("freezing/rests", False))) and turns < 500:
        losses = game.turn(state, source)
        turns += 1
    assert rests
    assert losses["accuracy"] > 0.9
    resting, moving = parameters(state.critic), parameters(state.generator)
    losses = game.turn(state, source)
    assert torch.equal(parameters(state.critic), resting)
    assert not torch.equal(parameters(state.generator), moving)
    assert losses["critic"].isfinite()
    for _ in range(2):
        losses = game.turn(state, lambda: state.generator(torch.randn(8, 64)).detach())
    assert losses["accuracy"] < 0.9
    assert not torch.equal(parameters(state.critic), resting), "it is no longer accurate, so it learns again"


def test_a_critic_without_a_sign_cannot_be_frozen() -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"freezing.*logit"):
        Freezing().turn(make_state(Freezing(), objective=Wasserstein()), batches())


@pytest.mark.parametrize("setting", [{"upper": 1.5}, {"lower": 0.0}, {"upper": 0.5, "lower": 0.7}])
def test_thresholds_are_accuracies_in_order(setting: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=r"upper|lower"):
        Freezing(**setting)


def test_the_target_follows_at_its_rate_and_judges_the_generator() -> None:
    game = TargetNetwork(rate=0.25)
    state = make_state(game)
    start = parameters(state.critic)
    game.turn(state, batches())
    target = torch.cat([state.memory[f"target_network/{key}"].flatten() for key, _ in state.critic.named_parameters()])
    torch.testing.assert_close(target, start + 0.25 * (parameters(state.critic) - start))


def test_a_target_of_rate_one_is_the_critic() -> None:
    one, two = make_state(Alternating()), make_state(TargetNetwork(rate=1.0))
    for state in (one, two):
        source = batches()
        for _ in range(3):
            state.system.game.turn(state, source)
    torch.testing.assert_close(parameters(one.generator), parameters(two.generator))
    with pytest.raises(DomainError, match="rate"):
        TargetNetwork(rate=1.1)


def test_a_head_start_is_over_after_its_turns() -> None:
    game = HeadStart(critic_steps=2, turns=2, first_steps=7)
    state = make_state(game)
    drawn = []
    for _ in range(4):
        count = 0

        def next_batch() -> torch.Tensor:
            nonlocal count
            count += 1
            return torch.zeros(8, 2)

        game.turn(state, next_batch)
        state.step += 1
        drawn.append(count)
    assert drawn == [7, 7, 2, 2]
