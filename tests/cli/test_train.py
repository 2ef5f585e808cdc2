from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest
import torch
from PIL import Image

from gancore.cli import main
from gancore.training import Run

SMALL = ["train", "dcgan", "--data", "digits", "--set", "width=8", "extra_layers=0", "--no-metrics", "--no-progress"]


def weights(folder: Path | str) -> list[torch.Tensor]:
    run = Run.load(folder, device="cpu")
    return [*run.generator.state_dict().values(), *run.critic.state_dict().values()]


def same(one: Path | str, two: Path | str) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))


def record(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_trains_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--steps", "4", "--seed", "5", "--out", "a run"]) == 0
    out, err = capsys.readouterr()
    assert out == "run: a run\nnext: gancore evaluate 'a run'\n"
    assert err == ""
    found = record(Path("a run"))
    assert (found["system"], found["steps"], found["seed"]) == ("dcgan", 4, 5)
    assert found["choices"]["width"] == 8
    assert found["data"]["name"] == "digits"
    assert Run.load("a run").step == 4


def test_the_folder_is_named_for_system_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("points.npy", np.random.default_rng(0).normal(size=(64, 2)))
    assert main(["train", "gan", "--data", "./points.npy", "--steps", "2", "--no-metrics", "-q"]) == 0
    assert capsys.readouterr().out == f"{Path('runs', 'gan-points')}\n"
    assert main(["train", "gan", "--data", "./points.npy", "--steps", "2", "--no-metrics", "-q"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "gan", "--data", "./points.npy", "--steps", "3", "--no-metrics", "-q", "--resume"]) == 0
    assert Run.load("runs/gan-points").step == 3


def test_samples_are_judged_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "gan", "--data", "ring", "--steps", "4", "--out", "run", "-q"]) == 0
    assert [entry["step"] for entry in Run.load("run").history if "fid" in entry] == [1, 2, 3, 4]


def test_a_run_that_goes_on_ends_in_the_same_bits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--steps", "6", "--out", "whole"]) == 0
    assert main([*SMALL, "--steps", "3", "--out", "parts", "--seed", "0"]) == 0
    assert main([*SMALL, "--steps", "6", "--out", "parts", "--resume"]) == 0
    assert same("whole", "parts")


def test_a_run_knows_what_it_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Without system, data, choices, seed and steps, --resume goes on as the run was begun."""
    assert main([*SMALL, "--steps", "5", "--out", "whole", "--seed", "7", "--image-size", "12"]) == 0
    words = [*SMALL, "--steps", "2", "--out", "parts", "--seed", "7", "--image-size", "12"]
    assert main(words) == 0
    content = record(Path("parts")) | {"steps": 5}
    Path("parts/run.json").write_text(json.dumps(content), encoding="utf-8")
    assert main(["train", "--resume", "--out", "parts", "--no-metrics", "-q"]) == 0
    assert Run.load("parts").step == 5
    assert Run.load("parts").shape == (1, 12, 12)
    assert same("whole", "parts")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "gan", "--data", "digits"], "system: 'dcgan' there, 'gan' now"),
        (["train", "dcgan", "--data", "digits", "--set", "lr=0.1"], "lr=0.1"),
        (["train", "dcgan", "--data", "digits", "--seed", "1"], "seed: 0 there, 1 now"),
        (["train", "dcgan", "--data", "digits", "--image-size", "16"], "data shape"),
    ],
)
def test_another_run_is_not_gone_on_with(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--steps", "2", "--out", "run"]) == 0
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main([*words, "--out", "run", "--resume", "--no-metrics", "-q"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_resume_begins_a_run_that_is_not_there_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--steps", "2", "--out", "run", "--resume"]) == 0
    assert main([*SMALL, "--steps", "2", "--out", "run", "--resume"]) == 0
    assert Run.load("run").step == 2


def test_bad_images_stop_or_are_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for k in range(70):
        folder = Path("pictures", str(k % 2))
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (10 + k % 3, 12), dtype=np.uint8)).save(folder / f"{k}.png")
    Path("pictures/0/bad.png").write_bytes(b"\x89PNG no image")
    words = ["train", "dcgan", "--data", "pictures", "--image-size", "8", "--set", "width=8", "--steps", "2", "-q"]
    words += ["--no-metrics", "--out", "run"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "bad.png" in err
    assert err.count("\n") == 1
    assert main([*words, "--skip-bad-images"]) == 0
    out, err = capsys.readouterr()
    assert out == "run\n"
    assert "left out 1 of 71 images" in err
    assert "bad.png" in err
    assert record(Path("run"))["data"]["n"] == 70
    assert main(["train", "--resume", "--out", "run", "--steps", "3", "--skip-bad-images", "--no-metrics", "-q"]) == 0
    assert Run.load("run").step == 3


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_leaves_a_run_that_resume_ends_in_the_same_bits(tmp_path: Path) -> None:
    words = [*SMALL, "--seed", "3", "--image-size", "12"]
    command = [sys.executable, "-m", "gancore", *words, "--steps", "100000", "--out", "a cut"]
    process = subprocess.Popen(command, stderr=PIPE, stdout=PIPE, text=True)
    history = tmp_path / "a cut" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and history.read_text().count("\n") >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    reached = Run.load("a cut").step
    assert reached >= 20

    said = shlex.split(err.partition("go on with: ")[2])
    assert said[:2] == ["gancore", "train"]
    said[said.index("--steps") + 1] = str(reached + 5)
    assert main(said[1:]) == 0
    assert main([*words, "--steps", str(reached + 5), "--out", "whole"]) == 0
    assert Run.load("a cut").step == reached + 5
    assert same("a cut", "whole")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_before_the_first_checkpoint_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gancore.training.loop.train", interrupted)
    assert main([*SMALL, "--steps", "2", "--out", "run"]) == 130
    assert "before the first checkpoint" in capsys.readouterr().err


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word for word in SMALL if word != "--no-progress"] + ["--steps", "2", "--out", "run"]) == 0
    out, err = capsys.readouterr()
    assert "step 2/2" in err
    assert "step" not in out


def test_what_is_kept_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "gan", "--data", "ring", "--steps", "4", "--out", "run", "-q", "--best", "fid"]
    assert main([*words, "--sample-every", "2", "--lr-schedule", "linear:2-4"]) == 0
    assert sorted(path.name for path in Path("run/samples").iterdir()) == [f"step-0000000{step}.png" for step in (2, 4)]
    scores = {entry["step"]: entry["fid"] for entry in Run.load("run").history}
    assert Run.load("run", checkpoint="best").step == min(scores, key=lambda step: scores[step])
    assert record(Path("run"))["lr_schedule"] == "linear:2-4"
    assert main(["train", "--resume", "--out", "run", "--steps", "5", "-q", "--no-metrics"]) == 0
    capsys.readouterr()
    assert main([*words, "--best", "modes", "--out", "other"]) == 2
    assert "best: expected one of the metrics fid, got 'modes'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="torchrun's signals")
def test_torchrun_trains_one_run(tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m", "gancore"]
    words = ["train", "gan", "--data", "ring", "--steps", "4", "--out", "run", "--no-metrics", "--no-progress"]
    done = subprocess.run([*launch, *words], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "run: run\nnext: gancore evaluate run\n"
    assert main([*words, "--out", "alone"]) == 0
    for one, two in zip(weights("alone"), weights("run"), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-3)
    bad = [*launch, *words, "--set", "batch_size=5", "--out", "odd"]
    done = subprocess.run(bad, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 0
    assert "batch_size: expected a multiple of the 2 processes, got 5" in done.stderr
