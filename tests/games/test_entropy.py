"""The estimate of the entropy against densities whose entropy is known, and what paying for it does."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.errors import DomainError
from gancore.games.entropy import Entropy, nearest_neighbour_entropy
from gancore.games.historical_averaging import HistoricalAveraging
from gancore.training import train
from gancore.training.state import TrainingState


@pytest.mark.parametrize(("d", "scale"), [(1, 1.0), (2, 0.1), (3, 5.0)])
def test_gaussians_have_their_entropy(d: int, scale: float) -> None:
    """H = d/2 log(2 pi e s^2); the estimate's standard error is near 1/sqrt(n) times a small factor."""
    x = scale * torch.randn(4000, d, generator=torch.Generator().manual_seed(d), dtype=torch.float64)
    expected = 0.5 * d * math.log(2 * math.pi * math.e * scale**2)
    assert nearest_neighbour_entropy(x).item() == pytest.approx(expected, abs=0.1)


def test_stretching_adds_its_logarithm() -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gained = nearest_neighbour_entropy(7 * x) - nearest_neighbour_entropy(x)
    assert gained.item() == pytest.approx(3 * math.log(7))


def test_samples_at_one_place_give_finite_gradients() -> None:
    x = torch.ones(4, 2, requires_grad=True)
    nearest_neighbour_entropy(x).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_the_generators_loss_is_lowered_by_the_entropy_of_its_batch() -> None:
    def state(game: object) -> TrainingState:
        system = replace(systems.get("gan")(width=6, batch_size=8, ema=None), game=game)
        return TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")

    real = torch.randn(8, 2, generator=torch.Generator().manual_seed(1))
    paid, plain, twin = (state(Entropy(weight=w)) for w in (0.5, 0.0, 0.0))
    losses = [each.system.game.turn(each, lambda: real)["generator"] for each in (paid, plain)]
    twin.latents(8)
    expected = 0.5 * nearest_neighbour_entropy(twin.generator(twin.latents(8)))
    torch.testing.assert_close(losses[1] - losses[0], expected.detach())


def test_paid_samples_lie_further_apart() -> None:
    points = 0.01 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    base = systems.get("gan")(width=16, batch_size=32, lr=2e-3, ema=None)
    spread = [
        train(replace(base, game=Entropy(weight=w)), points, steps=120, progress=False).sample(200).x.std().item()
        for w in (0.0, 1.0)
    ]
    assert spread[1] > 3 * spread[0]


@pytest.mark.parametrize("setting", [{"weight": -1.0}, {"weight": math.nan}, {"critic_steps": 0}])
def test_settings_out_of_range_raise(setting: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(setting))):
        Entropy(**setting)
    with pytest.raises(DomainError, match=next(iter(setting))):
        HistoricalAveraging(**setting)
