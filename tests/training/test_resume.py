"""A run that stops and goes on ends where one that never stopped ends: in the same bits."""

from __future__ import annotations

import errno
import io
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import gancore
from gancore import systems
from gancore.errors import ConfigError, DataError, TrainingError
from gancore.training import Run, train
from gancore.training.checkpoint import list_checkpoints, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


def assert_same_run(one: Path, other: Path) -> None:
    """The newest checkpoints agree in every tensor and counter, the histories in every loss."""
    a, b = (load(list_checkpoints(folder / "checkpoints")[0]) for folder in (one, other))
    assert (a.step, a.drawn, a.recipe) == (b.step, b.drawn, b.recipe)
    assert a.tensors.keys() == b.tensors.keys()
    for name, tensor in a.tensors.items():
        assert torch.equal(tensor, b.tensors[name]), name
    histories = [Run.load(folder, device="cpu").history for folder in (one, other)]
    for entry, twin in zip(*histories, strict=True):
        assert entry | {"seconds": 0} == twin | {"seconds": 0}


@pytest.mark.parametrize("name", systems.names())
def test_resume_is_bit_exact(name: str, data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    """N steps = k steps, another process's worth of disturbance, then N - k steps, for every registered system."""
    system = small(name)
    train(system, data, steps=9, out=tmp_path / "whole", seed=3, **QUIET)
    train(system, data, steps=4, out=tmp_path / "parts", seed=3, **QUIET)
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    torch.manual_seed(99)
    train(system, data, steps=9, out=tmp_path / "parts", seed=3, resume=True, **QUIET)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_a_checkpoint_holds_every_part_of_the_state(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    train(small("dcgan"), data, steps=2, out=tmp_path, **QUIET)
    names = set(load(list_checkpoints(tmp_path / "checkpoints")[0]).tensors)
    for part in (
        "network/generator/",
        "network/critic/",
        "average/generator/",
        "average/critic/",
        "optimizer/generator/0/exp_avg_sq",
    ):
        assert any(name.startswith(part) for name in names), part
    assert {"network/generator/2.running_mean", "random/latents", "random/torch", "random/python/state"} <= names


def test_resume_after_an_interruption_between_log_lines(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    """Checkpoints and log lines at steps that do not divide each other: nothing twice, nothing missing."""
    settings = {**QUIET, "log_every": 4, "checkpoint_every": 3}
    train(small(), data, steps=14, out=tmp_path / "whole", **settings)
    stop_at(data, step=7)
    with pytest.raises(KeyboardInterrupt):
        train(small(), data, steps=14, out=tmp_path / "parts", **settings)
    train(small(), data, steps=14, out=tmp_path / "parts", resume=True, **settings)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    assert [entry["step"] for entry in Run.load(tmp_path / "parts").history] == [4, 8, 12, 14]


def stop_at(data: Data, *, step: int, times: int = 1) -> None:
    """Press Ctrl-C while batch number `step` is read."""
    read, seen = data.batch, []

    def batch(indices: torch.Tensor) -> torch.Tensor:
        seen.append(indices)
        if len(seen) == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return read(indices)

    data.batch = batch


def test_ctrl_c_finishes_the_step_and_leaves_a_checkpoint(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    stop_at(data, step=5)
    with pytest.raises(KeyboardInterrupt):
        train(small(), data, steps=50, out=tmp_path, **QUIET)
    assert signal.getsignal(signal.SIGINT) is handler
    assert Run.load(tmp_path).step == 5
    assert train(small(), data, steps=8, out=tmp_path, resume=True, **QUIET).step == 8


def test_a_second_ctrl_c_does_not_wait(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    stop_at(data, step=6, times=2)
    with pytest.raises(KeyboardInterrupt):
        train(small(), data, steps=50, out=tmp_path, checkpoint_every=3, **QUIET)
    assert signal.getsignal(signal.SIGINT) is handler
    assert Run.load(tmp_path).step == 3
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 5
    history = train(small(), data, steps=8, out=tmp_path, resume=True, **QUIET).history
    assert [entry["step"] for entry in history] == [1, 2, 3, 4, 5, 6, 7, 8], "the last two lines were played again"


SCRIPT = """
import sys, torch
from pathlib import Path
from gancore import systems, train
torch.set_num_threads(1)
points = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
system = systems.get("gan")(width=4, batch_size=6)
train(system, points, steps=100_000, out=Path(sys.argv[1]), checkpoint_every=1, device="cpu", log_every=1)
"""


def test_kill_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    """SIGKILL in the middle of steps and writes, then resume to the bits of an uninterrupted run."""
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env={"PYTHONPATH": str(Path(gancore.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list_checkpoints(folder / "checkpoints")) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    (folder / "checkpoints" / ".step-99999999.0f3a.part.safetensors").write_bytes(b"half a checkpoi")
    reached = load(list_checkpoints(folder / "checkpoints")[0]).step
    points = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    system = systems.get("gan")(width=4, batch_size=6)
    train(system, points, steps=reached + 3, out=folder, resume=True, **QUIET)
    train(system, points, steps=reached + 3, out=tmp_path / "whole", **QUIET)
    assert_same_run(folder, tmp_path / "whole")
    assert not list(folder.rglob("*.part.*"))


def test_a_full_disk_leaves_the_last_checkpoint(
    data: Data, small: Callable[..., System], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the bytes go out, then the disk is full."""
    train(small(), data, steps=3, out=tmp_path, **QUIET)
    before = {path: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()}
    real_open = Path.open

    class FullDisk(io.FileIO):
        def write(self, content: bytes) -> int:
            super().write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def open_on_a_full_disk(path: Path, mode: str = "r", **settings: object) -> object:
        return FullDisk(path, mode) if mode == "wb" and "step-" in path.name else real_open(path, mode, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_on_a_full_disk)
        with pytest.raises(TrainingError, match=r"step-00000005.*No space left.*intact"):
            train(small(), data, steps=5, out=tmp_path, resume=True, **QUIET)
    assert {path: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()} == before
    assert train(small(), data, steps=5, out=tmp_path, resume=True, **QUIET).step == 5


def test_a_truncated_checkpoint_is_passed_over_and_named(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    train(small(), data, steps=6, out=tmp_path, checkpoint_every=3, **QUIET)
    newest = list_checkpoints(tmp_path / "checkpoints")[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=r"step-00000006.*went back to step 3"):
        run = Run.load(tmp_path)
    assert run.step == 3
    assert run.history[-1]["step"] == 3
    with pytest.warns(UserWarning, match="went back to step 3"):
        assert train(small(), data, steps=6, out=tmp_path, resume=True, **QUIET).step == 6
    for path in list_checkpoints(tmp_path / "checkpoints"):
        path.write_bytes(b"not safetensors")
    with pytest.raises(DataError, match="not a complete safetensors file"):
        Run.load(tmp_path)


def test_an_existing_run_is_not_overwritten(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    train(small(), data, steps=2, out=tmp_path, **QUIET)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"already holds a run.*resume=True.*another folder"):
        train(small(), data, steps=4, out=tmp_path, **QUIET)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    (tmp_path / "run.json").unlink()
    with pytest.raises(ConfigError, match="already holds a run"):
        train(small(), data, steps=4, out=tmp_path, **QUIET)


def test_another_run_cannot_be_resumed(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    train(small(), data, steps=2, out=tmp_path, **QUIET)
    resume = {"out": tmp_path, "steps": 4, "resume": True, **QUIET}
    with pytest.raises(ConfigError, match=r"system: 'gan' there, 'wgan' now"):
        train(small("wgan"), data, **resume)
    with pytest.raises(ConfigError, match=r"game: 'alternating\(critic_steps=1\)' there"):
        train(small(critic_steps=2), data, **resume)
    with pytest.raises(ConfigError, match="seed: 0 there, 1 now"):
        train(small(), data, seed=1, **resume)
    data.images = torch.zeros(30, 1, 8, 8)
    with pytest.raises(ConfigError, match="data n: 20 there, 30 now"):
        train(small(), data, **resume)


def test_a_checkpoint_of_another_system_is_refused(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    """Checkpoints that were copied into the folder of another run."""
    train(small(), data, steps=2, out=tmp_path / "one", **QUIET)
    train(small(critic_steps=2), data, steps=3, out=tmp_path / "two", **QUIET)
    stray = list_checkpoints(tmp_path / "two" / "checkpoints")[0]
    stray.rename(tmp_path / "one" / "checkpoints" / stray.name)
    with pytest.raises(ConfigError, match=r"another system: game alternating\(critic_steps=2\) there"):
        train(small(), data, steps=4, out=tmp_path / "one", resume=True, **QUIET)


def test_resume_starts_a_run_where_there_is_none(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    """So that one command both starts and goes on."""
    (tmp_path / "notes.txt").write_text("mine")
    assert train(small(), data, steps=2, out=tmp_path, resume=True, **QUIET).step == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(ConfigError, match=r"resume.*out"):
        train(small(), data, steps=2, resume=True, **QUIET)


def test_a_run_that_has_its_steps_is_returned_as_it_is(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    train(small(), data, steps=4, out=tmp_path, **QUIET)
    assert train(small(), data, steps=3, out=tmp_path, resume=True, **QUIET).step == 4
    assert [entry["step"] for entry in Run.load(tmp_path).history] == [1, 2, 3, 4]


def test_resume_in_another_precision_says_that_bits_will_differ(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    train(small(), data, steps=2, out=tmp_path, **QUIET)
    with pytest.warns(UserWarning, match=r"float32.*bfloat16.*not bit for bit"):
        train(small(), data, steps=3, out=tmp_path, resume=True, precision="bfloat16", **QUIET)


def test_only_the_newest_checkpoints_are_kept(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    train(small(), data, steps=7, out=tmp_path, checkpoint_every=2, keep_checkpoints=3, **QUIET)
    names = [path.name for path in list_checkpoints(tmp_path / "checkpoints")]
    assert names == [f"step-{step:08d}.safetensors" for step in (7, 6, 4)]


def test_nothing_warns_on_the_plain_way(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(small(), data, steps=2, out=tmp_path, **QUIET)
        train(small(), data, steps=3, out=tmp_path, resume=True, **QUIET)
        Run.load(tmp_path)
