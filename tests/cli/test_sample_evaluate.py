from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gancore
from gancore.cli import main
from gancore.datasets import load
from gancore.features import train_classifier
from gancore.figures import to_pixels
from gancore.training import Run


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("digits")
    gancore.train(gancore.systems.get("dcgan")(width=8, extra_layers=0), "digits", steps=30, out=folder, progress=False)
    train_classifier(load("digits"), steps=60).save(folder / "classifier.safetensors")
    return str(folder)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("ring")
    gancore.train("gan", "ring", steps=2, out=folder, progress=False)
    return str(folder)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_picture_of_all(digits: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", digits, "-n", "6", "-o", "new/grid.png"]) == 0
    assert capsys.readouterr().out == f"{Path('new', 'grid.png')}\n"
    with Image.open("new/grid.png") as picture:
        picture.load()
        assert picture.size == (3 * 56 + 2 * 6, 2 * 56 + 6)


def test_arrays_of_the_runs_samples(digits: str) -> None:
    assert main(["sample", digits, "-n", "5", "--seed", "3", "-o", "samples.npz"]) == 0
    expected = Run.load(digits).sample(5, seed=3)
    with np.load("samples.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["x", "z"]
        assert np.array_equal(file["x"], expected.x.cpu())
        assert np.array_equal(file["z"], expected.z.cpu())
    data = load("samples.npz")
    assert torch.equal(data.batch(torch.arange(5)), expected.x.cpu())


def test_a_folder_of_pictures(digits: str) -> None:
    assert main(["sample", digits, "-n", "11", "-o", "pictures/"]) == 0
    assert sorted(path.name for path in Path("pictures").iterdir()) == [f"{k:02}.png" for k in range(11)]
    pixels = to_pixels(Run.load(digits).sample(11, seed=0).x)
    with Image.open("pictures/07.png") as picture:
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), pixels[7, ..., 0])


def test_a_sampler_takes_its_settings(digits: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sample", digits, "-n", "4", "--sampler", "ddls", "-o", "a.npz", "--set"]
    assert main([*words, "steps=3", "step_size=0.01", "calibrate=none"]) == 0
    assert "calibrating" not in capsys.readouterr().err
    expected = Run.load(digits).sample(4, sampler="ddls", steps=3, step_size=0.01)
    with np.load("a.npz") as file:
        assert np.array_equal(file["x"], expected.x.cpu())
    assert main([*words, "steps=3", "step_size=0.01"]) == 0
    assert "calibrating the critic on digits" in capsys.readouterr().err
    calibrated = Run.load(digits).sample(4, sampler="ddls", steps=3, step_size=0.01, calibrate=load("digits"))
    with np.load("a.npz") as file:
        assert np.array_equal(file["x"], calibrated.x.cpu())
        assert not np.array_equal(file["x"], expected.x.cpu())


def test_points_have_a_picture_but_none_of_their_own(ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", ring, "-n", "50", "-o", "points.png"]) == 0
    with Image.open("points.png") as picture:
        assert picture.getpixel((0, 0)) == (255, 255, 255, 255)
    capsys.readouterr()
    assert main(["sample", ring, "-o", "points/"]) == 2
    assert "points have no pictures" in capsys.readouterr().err


def test_evaluate_prints_json_and_nothing_else(digits: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", digits, "-n", "200", "--samplers", "plain", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "judging" in err
    found = json.loads(out)
    assert json.loads(Path(digits, "metrics.json").read_text(encoding="utf-8")) == found
    assert list(found["scores"]) == ["untrained", "plain"]
    for scores in found["scores"].values():
        for score in scores.values():
            assert {"interval", "n_real", "n_fake", "protocol"} <= score.keys()
            assert "value" in score or {"mean", "std"} <= score.keys()
    low, high = found["scores"]["plain"]["fid"]["interval"]
    assert low <= found["scores"]["plain"]["fid"]["value"] <= high
    assert found["protocol"]["versions"]["gancore"] == gancore.__version__


def test_evaluate_prints_a_table_and_leaves_a_report(digits: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(digits, "classifier.safetensors").read_bytes()
    assert main(["evaluate", digits, "-n", "200", "--samplers", "plain", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "untrained" in out
    assert "FID" in out
    assert "[" in out, "intervals are no markup"
    assert out.rstrip().endswith("report.html")
    for name in ("metrics.json", "samples.png", "curves.png", "report.html"):
        assert Path(digits, name).stat().st_size > 0
    assert Path(digits, "classifier.safetensors").read_bytes() == before


def test_evaluate_runs_as_a_program_with_all_samplers(ring: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gancore", "evaluate", ring, "-n", "40", "--samplers", "all", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert set(found["scores"]) | set(found["failures"]) == {"untrained", *gancore.registry.names("samplers")}
    assert found["scores"]["plain"]["mode_coverage"]["of"] == 8


def test_other_data_can_be_judged_against(ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("other.npy", np.random.default_rng(0).normal(size=(300, 2)))
    words = ["evaluate", ring, "--samplers", "plain", "-n", "100", "--data", "other.npy", "--json", "-q"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["plain"]["fid"]["n_real"] == 300
    assert found["protocol"]["data"] == "other.npy"
    assert main(["evaluate", ring, "--data", "digits", "-q"]) == 2
    assert "shape" in capsys.readouterr().err


def test_samples_come_from_the_checkpoint_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"out": "run", "metrics": {"age": lambda run: run.step}, "evaluate_every": 2, "best": "age"}
    gancore.train("gan", "ring", steps=6, checkpoint_every=2, keep_checkpoints=3, progress=False, **settings)
    older = Path("run", "checkpoints", "step-00000004.safetensors")
    for which, step in (("best", 2), ("last", 6), (str(older), 4)):
        assert main(["sample", "run", "-n", "5", "--checkpoint", which, "-o", "samples.npz"]) == 0
        expected = Run.load("run", checkpoint=which)
        assert expected.step == step
        with np.load("samples.npz") as file:
            assert np.array_equal(file["x"], expected.sample(5, seed=0).x.cpu())
    capsys.readouterr()
    words = ["evaluate", "run", "--samplers", "plain", "-n", "50", "--checkpoint", "best", "--json", "-q"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["run"]["step"] == 2


@pytest.mark.parametrize("which", ["best", "nowhere.safetensors", "other/checkpoints/step-00000001.safetensors"])
def test_a_checkpoint_that_is_not_the_runs_is_named(which: str, ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    gancore.train(gancore.systems.get("gan")(width=4), "ring", steps=1, out="other", progress=False)
    assert main(["sample", ring, "--checkpoint", which]) == 2
    assert which.rpartition("/")[2].removesuffix(".safetensors") in capsys.readouterr().err
