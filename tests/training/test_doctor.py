"""Runs with each illness are told it, and healthy ones are left in peace."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import pytest
import torch

from gancore import datasets, systems
from gancore.cli import main
from gancore.errors import DataError, DivergedError, HealthWarning
from gancore.networks import NetworkFamily, Norm
from gancore.networks.mlp import MLP
from gancore.objectives.least_squares import LeastSquares
from gancore.training import train
from gancore.training.checkpoint import list_checkpoints
from gancore.training.doctor import diagnose
from gancore.training.health import examine
from gancore.training.optimizers import SGD

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {"progress": False, "device": "cpu"}


def illnesses(folder: Path) -> list[str]:
    return [finding.illness for finding in diagnose(folder)]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four hundred steps in which nothing may be warned of."""
    folder = tmp_path_factory.mktemp("healthy")
    system = systems.get("wgan_gp")(networks="mlp", width=32, penalty=0.1, critic_steps=2, batch_size=64, lr=5e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(system, datasets.load("ring"), steps=400, out=folder, checkpoint_every=100, **QUIET)
    return folder


@pytest.fixture
def copied(healthy: Path, tmp_path: Path) -> Path:
    return shutil.copytree(healthy, tmp_path / "run")


def test_a_healthy_run_is_left_in_peace(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose(healthy) == []
    assert main(["doctor", str(healthy)]) == 0
    assert capsys.readouterr().out == "nothing is wrong\n"


@pytest.mark.parametrize("name", ["gan", "lsgan", "r3gan"])
def test_other_games_are_left_in_peace_too(name: str) -> None:
    system = systems.get(name)(networks="mlp", width=32, batch_size=64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(system, datasets.load("ring"), steps=300, **QUIET)


def test_a_rate_far_too_high_is_told_with_term_and_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = systems.get("gan")(networks="mlp", width=8, lr=1e30)
    with pytest.raises(DivergedError) as caught:
        train(system, datasets.load("ring"), steps=50, out=tmp_path, **QUIET)
    first = diagnose(tmp_path)[0]
    assert (first.illness, first.severity, first.step) == ("nan", "error", caught.value.step)
    assert caught.value.term in first.message
    assert main(["doctor", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["healthy"]
    assert told["findings"][0] == first.to_dict()


def test_a_dead_critic_is_warned_of_and_told(tmp_path: Path) -> None:
    """Weight clipping at zero: the same output for everything, and no slope for anybody."""
    still = SGD(lr=1e-30)
    system = replace(
        systems.get("wgan")(networks="mlp", width=8, clip=1e-12, batch_size=16),
        generator_optimizer=still,
        critic_optimizer=still,
    )
    system = replace(system, objective=LeastSquares(), name="custom")
    with pytest.warns(HealthWarning) as warned:
        train(system, datasets.load("ring"), steps=240, out=tmp_path, checkpoint_every=120, **QUIET)
    assert ["critic dead" in str(warning.message) for warning in warned] == [True, False], "each once"
    assert {"critic dead", "generator stalled"} <= set(illnesses(tmp_path))


def test_a_saturated_critic_is_warned_of_and_told(tmp_path: Path) -> None:
    """A generator that cannot move, far from the data, against a critic that learns fast."""
    system = systems.get("gan")(networks="mlp", width=32, batch_size=32, lr=1e-2)
    system = replace(system, generator_optimizer=SGD(lr=1e-30), name="custom")
    far = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) + 50
    with pytest.warns(HealthWarning, match=r"critic saturated.*at chance"):
        train(system, far, steps=240, out=tmp_path, **QUIET)


def test_a_collapsed_generator_is_told(tmp_path: Path) -> None:
    """Trained on one point, under the name of the ring."""

    class OnePoint(datasets.Data):
        name, kind, shape, labels = "ring", "points", (2,), None

        def __len__(self) -> int:
            return 100_000

        def batch(self, indices: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[2.0, 0.0]]).expand(len(indices), 2)

    system = systems.get("wgan_gp")(networks="mlp", width=32, penalty=1.0, batch_size=64, lr=1e-3, critic_steps=2)
    train(system, OnePoint(), steps=400, out=tmp_path, **QUIET)
    assert "collapse" in illnesses(tmp_path)


def test_scores_that_fall_are_told() -> None:
    def history(name: str, values: list[float]) -> list[dict[str, float]]:
        return [{"step": 100 * k, name: value} for k, value in enumerate(values, start=1)]

    assert [f.illness for f in examine(history("modes", [3, 8, 3, 2]))] == ["collapse"]
    assert [f.illness for f in examine(history("fid", [9, 2, 5, 4.5]))] == ["samples getting worse"]
    for well in (history("modes", [3, 8, 3, 7]), history("fid", [9, 2, 5, 3]), history("fid", [9, 8, 7, 7.5])):
        assert examine(well) == []


def test_exploding_losses_are_told() -> None:
    history = [{"step": 20 * k, "critic": -3e6 * k, "generator": 1.0 / k} for k in range(1, 30)]
    assert [finding.illness for finding in examine(history)] == ["losses exploding"]
    assert examine(history[:9]) == [], "too early to tell"


def test_checkpoints_that_are_not_whole_are_told(copied: Path) -> None:
    newest, older = list_checkpoints(copied / "checkpoints")
    newest.write_bytes(newest.read_bytes()[:-100])
    (copied / "checkpoints" / ".step-00000500.0f3a.part.safetensors").write_bytes(b"half")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = diagnose(copied)
    assert [finding.illness for finding in found] == ["incomplete checkpoint", "unfinished write"]
    assert "step-00000400" in found[0].message
    older.unlink()
    assert illnesses(copied)[:2] == ["incomplete checkpoint", "no checkpoint"]


def test_other_versions_are_told(copied: Path) -> None:
    record = json.loads((copied / "run.json").read_text())
    record["versions"]["torch"] = "1.8.1"
    (copied / "run.json").write_text(json.dumps(record))
    (found,) = diagnose(copied)
    assert found.illness == "versions differ"
    assert f"torch 1.8.1 then, {torch.__version__} now" in found.message


def test_a_full_disk_is_told(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    (found,) = diagnose(copied)
    assert (found.illness, found.severity) == ("disk full", "error")


def test_a_damaged_history_is_told(copied: Path) -> None:
    lines = (copied / "history.jsonl").read_text().splitlines()
    (copied / "history.jsonl").write_text("\n".join([lines[0], "{", *lines[2:]]) + "\n")
    (found,) = diagnose(copied)
    assert found.illness == "damaged history"
    assert "line 2" in found.message


def test_no_run_is_a_mistake_of_the_caller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match=r"run\.json"):
        diagnose(tmp_path)
    assert main(["doctor", str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err


@dataclass(frozen=True)
class Deaf(NetworkFamily):
    """Perceptrons, of which the generator ignores its code."""

    critic_norm: Norm = "none"
    reference: ClassVar[str] = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Threshold(torch.inf, 1.0), MLP(width=8).generator(shape, latent_dim))

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> torch.nn.Module:
        return MLP(width=8).critic(shape, outputs)


def test_a_collapse_is_warned_of_while_it_trains() -> None:
    """A generator that ignores its code makes one point; the same one with ears is left in peace."""
    system = replace(systems.get("gan")(width=8, batch_size=16), networks=Deaf(), name="custom")
    with pytest.warns(HealthWarning, match=r"step 200: collapse: of 256 samples .* the generator makes copies"):
        train(system, datasets.load("ring"), steps=200, **QUIET)
    train(replace(system, networks=MLP(width=8)), datasets.load("ring"), steps=200, **QUIET)
