from __future__ import annotations

import random
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from gancore import systems
from gancore.errors import BackendError, ConfigError, DivergedError, DomainError, IncompatibleChoiceError
from gancore.games import Game
from gancore.games.alternating import Alternating
from gancore.training import Run, train
from gancore.training.checkpoint import list_checkpoints, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


def without_seconds(run: Run) -> list[dict[str, float]]:
    return [entry | {"seconds": 0} for entry in run.history]


@pytest.mark.parametrize("name", systems.names())
def test_same_seed_same_bits_and_another_seed_others(name: str, data: Data, small: Callable[..., System]) -> None:
    one, same, other = (train(small(name), data, steps=3, seed=seed, **QUIET) for seed in (1, 1, 2))
    assert torch.equal(weights(one.generator), weights(same.generator))
    assert torch.equal(weights(one.critic), weights(same.critic))
    assert without_seconds(one) == without_seconds(same)
    assert not torch.equal(weights(one.generator), weights(other.generator))


def test_random_states_of_the_caller_neither_matter_nor_change(data: Data, small: Callable[..., System]) -> None:
    one = train(small(), data, steps=2, **QUIET)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    drawn = random.expovariate(1.0), np.random.random(), torch.rand(()).item()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    again = train(small(), data, steps=2, **QUIET)
    assert (random.expovariate(1.0), np.random.random(), torch.rand(()).item()) == drawn  # noqa: NPY002
    assert torch.equal(weights(one.generator), weights(again.generator))


def test_every_sample_is_drawn_once_an_epoch(data: Data, small: Callable[..., System]) -> None:
    train(small(batch_size=8, critic_steps=5), data, steps=1, **QUIET)
    drawn = [index for batch in data.asked for index in batch]
    assert [len(batch) for batch in data.asked] == [8] * 5
    assert sorted(drawn[:20]) == sorted(drawn[20:]) == list(range(20))
    assert drawn[:20] != drawn[20:]


def test_learns_the_mean_of_shifted_points() -> None:
    """Each player's own loss, followed by gradients, must bring the generator to the data: here around (3, -2)."""
    points = torch.tensor([3.0, -2.0]) + 0.5 * torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    system = systems.get("gan")(objective="nonsaturating", width=32, depth=2, lr=2e-3, latent_dim=4, ema=0.9)
    run = train(system, points, steps=300, progress=False, device="cpu")
    before = run.untrained_generator()(torch.randn(500, 4)).mean(0)
    after = run.generator(torch.randn(500, 4)).mean(0)
    assert (before - points.mean(0)).norm() > 3
    assert (after - points.mean(0)).norm() < 0.75


@dataclass(frozen=True)
class Exploding(Game):
    """Plays well until a step, then poisons the critic's loss, or silently its weights."""

    at: int
    what: str

    reference = ""

    def turn(self, state: object, next_batch: Callable[[], torch.Tensor]) -> dict[str, torch.Tensor]:
        losses = Alternating().turn(state, next_batch)
        if state.step + 1 == self.at:
            if self.what == "loss":
                losses["critic"] = losses["critic"] * torch.inf
            else:
                next(state.critic.parameters()).data[0] = torch.nan
        return losses


def exploding(small: Callable[..., System], **settings: object) -> System:
    from dataclasses import replace

    return replace(small(), game=Exploding(**settings), name="custom")


def test_a_loss_that_explodes_is_named_with_its_step(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    """Found at the next look, ten steps later, and still told exactly."""
    system = exploding(small, at=7, what="loss")
    with pytest.raises(DivergedError, match="critic became non-finite at step 7") as caught:
        train(system, data, steps=20, out=tmp_path, checkpoint_every=2, progress=False, log_every=10)
    assert (caught.value.step, caught.value.term) == (7, "critic")
    assert caught.value.last_finite.keys() == {"critic", "generator"}
    assert Run.load(tmp_path, system=system).step == 6


def test_weights_that_are_not_finite_are_never_written(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    system = exploding(small, at=4, what="weight")
    with pytest.raises(DivergedError, match="critic weights became non-finite at step 4"):
        train(system, data, steps=20, out=tmp_path, checkpoint_every=1, progress=False)
    newest = load(list_checkpoints(tmp_path / "checkpoints")[0])
    assert newest.step == 3
    assert all(tensor.isfinite().all() for name, tensor in newest.tensors.items() if name.startswith("network/"))


def test_metrics_enter_the_history_and_do_not_change_the_run(data: Data, small: Callable[..., System]) -> None:
    seen: list[Run] = []

    def spread(run: Run) -> float:
        seen.append(run)
        torch.rand(5), random.expovariate(1.0), np.random.random()  # noqa: NPY002
        return float(run.generator(torch.zeros(1, 5)).std())

    with_metrics = train(small(), data, steps=5, metrics={"spread": spread}, evaluate_every=2, **QUIET)
    plain = train(small(), data, steps=5, **QUIET)
    assert [entry["step"] for entry in with_metrics.history if "spread" in entry] == [2, 4, 5]
    assert [run.step for run in seen] == [2, 4, 5]
    assert torch.equal(weights(with_metrics.generator), weights(plain.generator))
    assert not torch.equal(weights(seen[0].generator), weights(seen[2].generator)), "snapshots, not views"


def test_history_says_step_seconds_and_every_loss(data: Data, small: Callable[..., System]) -> None:
    history = train(small("wgan_gp"), data, steps=4, **QUIET | {"log_every": 2}).history
    assert [entry["step"] for entry in history] == [2, 4]
    assert history[0].keys() == {"step", "seconds", "critic", "gradient_penalty", "generator"}
    assert 0 < history[0]["seconds"] <= history[1]["seconds"]


def test_ema_of_the_call_wins_over_the_systems(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    averaged = train(small(), data, steps=6, ema=0.5, out=tmp_path / "a", **QUIET)
    plain = train(small(), data, steps=6, ema=None, out=tmp_path / "b", **QUIET)
    assert not torch.equal(weights(averaged.generator), weights(plain.generator))
    for run, folder in ((averaged, "a"), (plain, "b")):
        loaded = Run.load(tmp_path / folder)
        assert loaded.system.ema == run.system.ema
        assert torch.equal(weights(loaded.generator), weights(run.generator))
    checkpoint = load(list_checkpoints(tmp_path / "b" / "checkpoints")[0])
    assert not checkpoint.under("average/")


def test_a_name_stands_for_the_recipe(data: Data) -> None:
    run = train("wgan-gp", data, steps=1, **QUIET)
    assert run.system == systems.get("wgan_gp")()


def test_what_was_left_to_the_data_is_recorded(tmp_path: Path) -> None:
    points = torch.randn(30, 3)
    run = train("gan", points, steps=1, out=tmp_path, **QUIET)
    assert run.system.latent_dim == run.system.choices["latent_dim"] == 3
    assert Run.load(tmp_path).system == run.system
    assert train("gan", points, steps=2, out=tmp_path, resume=True, **QUIET).step == 2


def test_runs_in_threads_other_than_the_main_one(data: Data, small: Callable[..., System]) -> None:
    """Where signal handlers cannot be set."""
    handler = signal.getsignal(signal.SIGINT)
    steps: list[int] = []
    thread = threading.Thread(target=lambda: steps.append(train(small(), data, steps=2, **QUIET).step))
    thread.start()
    thread.join()
    assert steps == [2]
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("name", ["steps", "log_every", "checkpoint_every", "evaluate_every", "keep_checkpoints"])
def test_counts_must_be_positive(name: str, data: Data, small: Callable[..., System]) -> None:
    with pytest.raises(DomainError, match=name):
        train(small(), data, **({"steps": 2, "progress": False} | {name: 0}))


def test_settings_that_make_no_sense_raise(data: Data, small: Callable[..., System]) -> None:
    def call(**settings: object) -> None:
        train(small(), data, steps=1, progress=False, **settings)

    with pytest.raises(DomainError, match="seed"):
        call(seed=-1)
    with pytest.raises(DomainError, match="ema"):
        call(ema=1.5)
    with pytest.raises(ConfigError, match=r"device.*'tpu'"):
        call(device="tpu")
    with pytest.raises(BackendError, match="cuda:7"):
        call(device="cuda:7")
    with pytest.raises(ConfigError, match=r"precision.*'float16'"):
        call(precision="float16")
    with pytest.raises(IncompatibleChoiceError, match="multiples of 4"):
        train(small("dcgan"), torch.zeros(9, 2), steps=1, progress=False)


@pytest.mark.gpu
def test_cuda_defaults_to_bfloat16_and_resumes(small: Callable[..., System], tmp_path: Path) -> None:
    images = torch.rand(20, 1, 8, 8) - 0.5
    settings = {"progress": False, "out": tmp_path}
    run = train(small("dcgan"), images, steps=3, **settings)
    assert run.device.type == "cuda"
    assert load(list_checkpoints(tmp_path / "checkpoints")[0]).precision == "bfloat16"
    assert train(small("dcgan"), images, steps=5, resume=True, **settings).step == 5
