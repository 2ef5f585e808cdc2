"""What is kept and shown while a run is under way: best checkpoint, pictures, writers, schedules, hooks."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
import torch

from gancore.errors import ConfigError, DataError, DivergedError, IncompatibleChoiceError
from gancore.training import Run, train
from gancore.training.checkpoint import load
from gancore.training.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


def test_the_best_checkpoint_outlives_the_newest(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    scores = {1: 5.0, 2: 3.0, 3: 1.0, 4: 2.0, 5: math.nan, 6: 4.0, 7: 1.0, 8: 0.5}
    seen: dict[int, torch.Tensor] = {}

    def score(run: Run) -> float:
        seen[run.step] = weights(run.generator)
        return scores[run.step] if not math.isnan(scores[run.step]) else 9.0

    settings = {**QUIET, "out": tmp_path, "metrics": {"score": score}, "evaluate_every": 1, "best": "score"}
    train(small(), data, steps=5, checkpoint_every=1, keep_checkpoints=1, **settings)
    best = Run.load(tmp_path, device="cpu", checkpoint="best")
    assert best.step == 3
    assert torch.equal(weights(best.generator), seen[3])
    assert [entry["step"] for entry in best.history] == [1, 2, 3]
    assert Run.load(tmp_path, device="cpu").step == 5
    train(small(), data, steps=7, resume=True, **settings)
    assert load(tmp_path / "checkpoints" / "best.safetensors").step == 3, "as good is not better"
    train(small(), data, steps=8, resume=True, **settings)
    assert load(tmp_path / "checkpoints" / "best.safetensors").step == 8


def test_more_may_be_better(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    settings = {**QUIET, "out": tmp_path, "evaluate_every": 1}
    train(small(), data, steps=4, metrics={"modes": lambda run: -abs(run.step - 2)}, best="max:modes", **settings)
    assert Run.load(tmp_path, checkpoint="best").step == 2


def test_a_best_that_cannot_be_told_is_refused(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    for text in ("fid", "most:score"):
        with pytest.raises(ConfigError, match=r"best: expected .*got"):
            train(small(), data, steps=1, metrics={"score": lambda _: 0.0}, best=text, **QUIET)
    train(small(), data, steps=1, out=tmp_path, **QUIET)
    with pytest.raises(DataError, match=r"best\.safetensors"):
        Run.load(tmp_path, checkpoint="best")


def test_pictures_come_of_the_same_codes_and_change_nothing(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    drawn = train(small(), data, steps=5, out=tmp_path, sample_every=2, **QUIET)
    assert [path.name for path in sorted((tmp_path / "samples").iterdir())] == [
        f"step-{step:08d}.png" for step in (2, 4, 5)
    ]
    plain = train(small(), data, steps=5, **QUIET)
    assert torch.equal(weights(drawn.generator), weights(plain.generator))
    train("gan", torch.randn(40, 2), steps=2, out=tmp_path / "points", sample_every=2, **QUIET)
    assert (tmp_path / "points" / "samples" / "step-00000002.png").stat().st_size > 0


def test_writers_hear_every_entry(data: Data, small: Callable[..., System]) -> None:
    heard: list[dict[str, float]] = []
    run = train(small(), data, steps=3, writers=[heard.append], **QUIET)
    assert heard == run.history


def test_a_divergence_leaves_a_note_until_the_run_goes_on(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    system = small("gan", lr=1e30)
    with pytest.raises(DivergedError) as caught:
        train(system, data, steps=20, out=tmp_path, **QUIET)
    note = json.loads((tmp_path / "failure.json").read_text())
    assert (note["step"], note["term"]) == (caught.value.step, caught.value.term)
    with pytest.raises(DivergedError):
        train(system, data, steps=20, out=tmp_path, resume=True, **QUIET)
    train(small(), data, steps=2, out=tmp_path / "well", **QUIET)
    (tmp_path / "well" / "failure.json").write_text("{}")
    train(small(), data, steps=3, out=tmp_path / "well", resume=True, **QUIET)
    assert not (tmp_path / "well" / "failure.json").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("linear:100-200", [1, 1, 0.75, 0.5, 0]),
        ("cosine:100-200", [1, 1, 0.5 + 0.25 * math.sqrt(2), 0.5, 0]),
    ],
)
def test_schedules_fall_from_one_to_nothing(text: str, expected: list[float]) -> None:
    assert [Schedule(text).factor(step) for step in (0, 100, 125, 150, 1000)] == pytest.approx(expected)


@pytest.mark.parametrize("text", ["linear", "linear:5-5", "linear:9-3", "step:1-2", "linear:-1-5", ""])
def test_schedules_that_make_no_sense_are_named(text: str) -> None:
    with pytest.raises(ConfigError, match="lr_schedule: expected"):
        Schedule(text)


def test_a_schedule_moves_both_players_and_resumes(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    settings = {**QUIET, "lr_schedule": "linear:2-6"}
    whole = train(small(ema=None), data, steps=8, **settings)
    six = train(small(ema=None), data, steps=6, **settings)
    for player in ("generator", "critic"):
        assert torch.equal(weights(getattr(whole, player)), weights(getattr(six, player))), "no rate, no step"
    assert not torch.equal(weights(train(small(ema=None), data, steps=6, **QUIET).critic), weights(six.critic))
    train(small(ema=None), data, steps=4, out=tmp_path, **settings)
    parts = train(small(ema=None), data, steps=8, out=tmp_path, resume=True, **settings)
    assert torch.equal(weights(parts.critic), weights(whole.critic))
    with pytest.raises(ConfigError, match=r"lr_schedule: 'linear:2-6' there, 'constant' now"):
        train(small(ema=None), data, steps=9, out=tmp_path, resume=True, **QUIET)
    with pytest.raises(IncompatibleChoiceError, match="lr_schedule"):
        train(small("unrolled_gan"), data, steps=1, **settings)


def test_backward_is_the_callers_if_there_is_one(data: Data, small: Callable[..., System]) -> None:
    """As Fabric and Accelerate offer it: a function of the loss."""
    losses: list[float] = []

    def backward(loss: torch.Tensor) -> None:
        losses.append(loss.item())
        loss.backward()

    hooked = train(small("wgan_gp", critic_steps=2), data, steps=2, backward=backward, **QUIET)
    plain = train(small("wgan_gp", critic_steps=2), data, steps=2, **QUIET)
    assert torch.equal(weights(hooked.critic), weights(plain.critic))
    assert len(losses) == 2 * (2 + 1)
    last = hooked.history[-1]
    assert losses[-2:] == pytest.approx([last["critic"] + last["gradient_penalty"], last["generator"]])
    with pytest.raises(IncompatibleChoiceError, match="backward"):
        train(small("unrolled_gan"), data, steps=1, backward=backward, **QUIET)


def test_data_smaller_than_a_batch_are_repeated_evenly(data: Data, small: Callable[..., System]) -> None:
    train(small(batch_size=50), data, steps=2, **QUIET)
    drawn = [index for batch in data.asked for index in batch]
    assert {drawn.count(index) for index in range(20)} == {5}
