"""Two processes train one run: the same steps as one process, one writer, and no waiting for the dead."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import gancore
from gancore.errors import ConfigError
from gancore.training import Run
from gancore.training.checkpoint import list_checkpoints, load
from gancore.training.history import read_history
from gancore.training.processes import Processes

pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()), reason="needs gloo"
)

SAME = {
    "wgan_gp": {"critic_steps": 2},
    "r3gan": {},
    "mmd_gan": {},
    "mcgan": {},
    "fisher_gan": {},
    "began": {},
    "sngan": {},
    "unrolled_gan": {},
}
"""Between them: penalties, paired and distributional objectives, multipliers, spectral norms, unrolling."""

COMMON = """
import json, os, sys, torch
from dataclasses import replace
from gancore import systems, train
from gancore.games.consensus import Consensus
from gancore.games.entropy import Entropy
from gancore.games.gradient_norm import GradientNorm
from gancore.games.replay import Replay
from gancore.training.optimizers import SGD
torch.set_num_threads(1)

def make(name, **choices):
    import inspect
    recipe = systems.get(name)
    wanted = {"width": 8, "batch_size": 8, "latent_dim": 5, "networks": "mlp"} | choices
    known = inspect.signature(recipe).parameters
    system = recipe(**{k: v for k, v in wanted.items() if k in known})
    if "critic_norm" in known and system.networks.critic_norm == "batch":
        system = recipe(**{k: v for k, v in wanted.items() if k in known}, critic_norm="none")
    # Adam would blow gradients that are zero but for rounding up to whole steps.
    slow = SGD(lr=2e-3, momentum=0.5)
    return replace(system, generator_optimizer=slow, critic_optimizer=slow, name="custom")

images = torch.rand(30, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
points = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
QUIET = dict(device="cpu", progress=False, log_every=1)
"""

TRAIN_ALL = (
    COMMON
    + """
folder = sys.argv[1]
for name, choices in json.loads(sys.argv[2]).items():
    data = images if name == "began" else points
    train(make(name, **choices), data, steps=4, seed=3, out=f"{folder}/{name}", **QUIET)
for game in (Consensus(weight=0.5), GradientNorm(weight=0.5), Replay(capacity=12), Entropy(weight=0.1)):
    system = replace(make("mmd_gan"), game=game, name="custom")
    train(system, points, steps=4, seed=3, out=f"{folder}/{type(game).__name__}", **QUIET)
"""
)


def processes(script: str, *arguments: str, world: int = 2, **environment: str) -> list[subprocess.Popen[str]]:
    """The script on so many processes, told of each other as torchrun does it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {
        "PYTHONPATH": str(Path(gancore.__file__).parents[1]),
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(world),
        **environment,
    }
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            env={**told, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]


def ended(started: list[subprocess.Popen[str]], *, within: float = 120) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each."""
    try:
        said = [process.communicate(timeout=within) for process in started]
    finally:
        for process in started:
            process.kill()
    return [(process.returncode, *words) for process, words in zip(started, said, strict=True)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same runs by one process and by two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    started = processes(TRAIN_ALL, str(two), json.dumps(SAME))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["-c", str(one), json.dumps(SAME)])
        exec(TRAIN_ALL, {})  # noqa: S102
    for code, _, err in ended(started, within=400):
        assert code == 0, err
    return one, two


@pytest.mark.parametrize("name", [*SAME, "Consensus", "GradientNorm", "Replay", "Entropy"])
def test_two_halves_make_the_steps_of_the_whole(name: str, trained: tuple[Path, Path]) -> None:
    """Weights and losses, also where the loss is no mean over samples or contains gradients."""
    one, two = (load(list_checkpoints(folder / name / "checkpoints")[0]) for folder in trained)
    assert (one.step, one.drawn, one.recipe) == (two.step, two.drawn, two.recipe)
    for key, tensor in one.tensors.items():
        if key.startswith(("network/", "average/", "memory/")):
            torch.testing.assert_close(two.tensors[key], tensor, rtol=1e-6, atol=1e-6, msg=lambda m, k=key: f"{k}: {m}")
    assert torch.equal(one.tensors["random/latents"], two.tensors["random/latents"])
    for entry, twin in zip(*(read_history(folder / name / "history.jsonl") for folder in trained), strict=True):
        assert entry | {"seconds": 0} == pytest.approx(twin | {"seconds": 0}, rel=1e-4, abs=1e-5)


NOISY = (
    COMMON
    + """
import signal
from pathlib import Path
from gancore.datasets import Data, as_data

class Noisy(Data):
    name, kind, shape, labels = "noisy", "image", (1, 8, 8), None
    reads = 0
    def __len__(self):
        return len(images)
    def batch(self, indices):
        Noisy.reads += 1
        if what == "exit" and Noisy.reads == 3 and os.environ["RANK"] == "1":
            os._exit(7)
        if what == "raise" and Noisy.reads == 3 and os.environ["RANK"] == "1":
            raise OSError("the disk is gone")
        if what == "interrupt" and Noisy.reads == 3 and os.environ["RANK"] == "1":
            signal.raise_signal(signal.SIGINT)
        return images[indices] + 0.01 * torch.randn(len(indices), 1, 1, 1)

folder, what, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings = dict(seed=3, out=folder, resume=True, checkpoint_every=2, timeout=float(os.environ.get("PATIENCE", "60")))
system = systems.get("dcgan")(width=4, extra_layers=0, batch_size=8)
"""
)
ONE_RUN = NOISY + "train(system, Noisy(), steps=steps, **settings, **QUIET)"


@pytest.mark.slow
def test_resume_on_two_processes_is_bit_exact(tmp_path: Path) -> None:
    """Batch statistics and every process's own random states too; Ctrl-C on one stops both at one step."""
    whole = processes(ONE_RUN, str(tmp_path / "whole"), "nothing", "6")
    stopped = ended(processes(ONE_RUN, str(tmp_path / "parts"), "interrupt", "6"))
    for _, _, err in stopped:
        assert "KeyboardInterrupt" in err
    assert load(list_checkpoints(tmp_path / "parts" / "checkpoints")[0]).step == 3
    resumed = processes(ONE_RUN, str(tmp_path / "parts"), "nothing", "6")
    for code, _, err in (*ended(whole), *ended(resumed)):
        assert code == 0, err
    a, b = (load(list_checkpoints(tmp_path / part / "checkpoints")[0]) for part in ("whole", "parts"))
    assert a.step == b.step == 6
    assert a.tensors.keys() == b.tensors.keys()
    assert not torch.equal(a.tensors["random/torch"], a.tensors["random-1/torch"])
    for name, tensor in a.tensors.items():
        assert torch.equal(tensor, b.tensors[name]), name
    assert [entry["step"] for entry in read_history(tmp_path / "parts" / "history.jsonl")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("what", ["exit", pytest.param("raise", marks=pytest.mark.slow)])
def test_a_process_that_dies_ends_the_others(what: str, tmp_path: Path) -> None:
    started = time.monotonic()
    (code, _, err), (other, _, its) = ended(processes(ONE_RUN, str(tmp_path), what, "100000"))
    assert time.monotonic() - started < 60
    assert code == 1
    assert "TrainingError: process 0 of 2 has lost the others" in err
    assert (other == 7) if what == "exit" else ("the disk is gone" in its)
    assert Run.load(tmp_path, device="cpu").step == 2, "what was written before is a run"


@pytest.mark.slow
def test_a_process_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    script = NOISY + (
        "import time\n"
        "def stuck(run):\n"
        "    time.sleep(120 if os.environ['RANK'] == '1' else 0)\n"
        "    return 0.0\n"
        "train(system, Noisy(), steps=steps, metrics={'stuck': stuck}, evaluate_every=3, **settings, **QUIET)"
    )
    waiting, stuck = processes(script, str(tmp_path), "nothing", "100", PATIENCE="3")
    try:
        _, err = waiting.communicate(timeout=90)
    finally:
        stuck.kill()
        stuck.communicate()
    assert waiting.returncode == 1
    assert "did not answer within the timeout" in err


def test_a_batch_that_cannot_be_shared_out_is_named() -> None:
    with pytest.raises(ConfigError, match="batch_size: expected a multiple of the 2 processes, got 5"):
        Processes(0, 2).share(5)
