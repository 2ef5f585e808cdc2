from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.games.alternating import Alternating
from gancore.games.consensus import Consensus
from gancore.games.unrolled import Unrolled
from gancore.regularizers.instance_noise import InstanceNoise
from gancore.training.state import TrainingState


def test_noise_has_the_standard_deviation_of_its_step() -> None:
    noise = InstanceNoise(std=0.4, anneal_steps=10)
    x = torch.full((200_00, 2), 3.0)
    for step, std in ((0, 0.4), (5, 0.2), (9, 0.04)):
        seen = noise.perturb(x, torch.Generator().manual_seed(step), step=step)
        # Four standard errors of a standard deviation and of a mean over 40,000 numbers.
        assert seen.std().item() == pytest.approx(std, rel=4 / (2 * 40_000) ** 0.5)
        assert seen.mean().item() == pytest.approx(3.0, abs=4 * std / 200)
    for step in (10, 11):
        assert noise.perturb(x, torch.Generator(), step=step) is x


def test_noise_without_annealing_stays() -> None:
    assert InstanceNoise(std=0.4).at(10**6) == 0.4


@pytest.mark.parametrize("game", [Alternating(), Unrolled(steps=1), Consensus()], ids=lambda game: type(game).__name__)
def test_the_critic_sees_noise_on_both_sides_in_every_game(game: object) -> None:
    """A generator of zeros and data of zeros: all that the critic sees is noise."""
    system = replace(
        systems.get("gan")(width=4, batch_size=64, ema=None), game=game, regularizers=(InstanceNoise(std=0.5),)
    )
    state = TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")
    for parameter in state.generator.parameters():
        torch.nn.init.zeros_(parameter)
    seen: list[torch.Tensor] = []
    state.critic.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    game.turn(state, lambda: torch.zeros(64, 2))
    assert len(seen) >= 2
    for batch in seen:
        assert 0.3 < batch.std().item() < 0.7


def test_noise_makes_disjoint_supports_overlap() -> None:
    """The optimal critic of two points is certain; of two points with noise it is not (Arjovsky and Bottou 2017)."""
    from gancore.kernels.divergence import jensen_shannon

    edges = torch.linspace(-4, 4, 161, dtype=torch.float64)
    values = {}
    for std in (0.02, 1.0):
        masses = []
        for at in (-0.5, 0.5):
            x = torch.full((100_000,), at)
            seen = InstanceNoise(std=std).perturb(x, torch.Generator().manual_seed(0), step=0)
            masses.append(torch.histogram(seen.double(), edges).hist)
        p, q = (mass / mass.sum() for mass in masses)
        values[std] = float(jensen_shannon(p, q))
    assert values[0.02] == pytest.approx(0.6931, abs=1e-3)
    assert values[1.0] < 0.2
