"""``gancore fid``, ``kid`` and ``prdc``: a table for people, one JSON object for machines, one line for mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gancore
from gancore.cli import main
from gancore.datasets import load
from gancore.features import train_classifier
from gancore.metrics import fid, fid_infinity

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(300, 4)), RNG.normal(0.3, size=(260, 4))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("GANCORE_INCEPTION_WEIGHTS", raising=False)
    np.save("real.npy", REAL)
    np.save("fake.npy", FAKE)


def scored(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    out, _ = capsys.readouterr()
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


def pictures(folder: str, n: int, side: int, *, grey: bool = True) -> None:
    Path(folder).mkdir()
    for row in range(n):
        pixels = RNG.integers(0, 256, (side, side) if grey else (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(Path(folder, f"{row:03}.png"))


def test_json_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    found = scored(capsys, "fid", "real.npy", "fake.npy")
    expected = fid(REAL, FAKE, progress=False)
    assert found["value"] == expected.value
    assert found["interval"] == list(expected.interval)
    assert (found["n_real"], found["n_fake"], found["real"], found["fake"]) == (300, 260, "real.npy", "fake.npy")
    assert found["protocol"] == json.loads(json.dumps(expected.protocol))
    found = scored(capsys, "fid", "real.npy", "fake.npy", "--no-interval")
    assert found["interval"] is None
    found = scored(capsys, "fid", "real.npy", "fake.npy", "--infinity", "--seed", "4")
    assert found["value"] == fid_infinity(REAL, FAKE, seed=4, progress=False).value


def test_the_table_says_score_interval_counts_and_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fid", "real.npy", "fake.npy"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    expected = fid(REAL, FAKE, progress=False)
    for part in (f"{expected.value:.6g}", "300 samples of real.npy", "260 samples of fake.npy", "rows as given"):
        assert part in out
    assert f"[{expected.interval[0]:.6g}, {expected.interval[1]:.6g}]" in out
    assert f"gancore {gancore.__version__}" in out


def test_statistics_are_saved_and_used(capsys: pytest.CaptureFixture[str]) -> None:
    whole = scored(capsys, "fid", "real.npy", "fake.npy", "--save-stats", "real.npz")
    with np.load("real.npz") as file:
        np.testing.assert_allclose(file["sigma"], np.cov(REAL, rowvar=False), rtol=1e-12)
        assert file["n"] == 300
        assert json.loads(str(file["protocol"]))["features"] == "rows as given"
    assert whole == scored(capsys, "fid", "real.npy", "fake.npy")
    again = scored(capsys, "fid", "real.npz", "fake.npy")
    assert again["value"] == pytest.approx(whole["value"], rel=1e-12)
    assert again["interval"] is not None
    scored(capsys, "fid", "real.npy", "fake.npy", "--infinity", "--save-stats", "more.npz")
    assert scored(capsys, "fid", "more.npz", "fake.npy")["value"] == pytest.approx(whole["value"], rel=1e-12)


def test_kid_has_both_estimates(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["kid", "real.npy", "fake.npy", "--subset-size", "50", "--subsets", "9"]
    found = scored(capsys, *words, "--save-stats", "rows.npz")
    assert {"mean", "std", "unbiased", "standard_error", "interval", "n_real", "n_fake", "protocol"} <= set(found)
    assert (found["protocol"]["subsets"], found["protocol"]["subset_size"]) == (9, 50)
    with np.load("rows.npz") as file:
        assert np.array_equal(file["x"], REAL)
    words[1] = "rows.npz"
    again = scored(capsys, *words)
    assert (again["mean"], again["unbiased"]) == (found["mean"], found["unbiased"])
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "KID, subsets" in out
    assert "KID, all pairs" in out
    assert main(["kid", "real.npy", "fake.npy"]) == 2
    assert "subset_size: expected at most the 300 samples of real, got 1000" in capsys.readouterr().err


def test_prdc_has_all_four(capsys: pytest.CaptureFixture[str]) -> None:
    found = scored(capsys, "prdc", "real.npy", "fake.npy", "--save-stats", "rows.npz")
    assert set(found["value"]) == {"precision", "recall", "density", "coverage"}
    assert all(0 <= found["value"][name] <= 1 for name in ("precision", "recall", "coverage"))
    assert (found["protocol"]["recall_k"], found["protocol"]["coverage_k"]) == (3, 5)
    for name, value in found["value"].items():
        assert found["interval"][name][0] <= value <= found["interval"][name][1]
    assert scored(capsys, "prdc", "rows.npz", "fake.npy")["value"] == found["value"]
    same = scored(capsys, "prdc", "real.npy", "real.npy", "-k", "4")
    assert (same["protocol"]["recall_k"], same["protocol"]["coverage_k"]) == (4, 4)
    assert (same["value"]["precision"], same["value"]["recall"]) == (1.0, 1.0)
    assert main(["prdc", "real.npy", "fake.npy"]) == 0
    assert "coverage" in capsys.readouterr().out


def test_prdc_needs_more_samples_than_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prdc", "real.npy", "fake.npy", "-k", "260"]) == 2
    assert "k: expected less than the number of samples, 260, got 260" in capsys.readouterr().err


def test_digits_against_a_run_through_its_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    gancore.train(gancore.systems.get("dcgan")(width=8, extra_layers=0), "digits", steps=2, out="run", progress=False)
    train_classifier(load("digits"), steps=20).save("run/classifier.safetensors")
    found = scored(capsys, "fid", "digits", "run", "--features", "run", "-n", "300", "--device", "cpu")
    assert (found["n_real"], found["n_fake"]) == (1797, 300)
    assert found["protocol"]["features"] == "classifier"
    assert len(found["protocol"]["weights_sha256"]) == 64
    assert found["interval"][0] < found["value"] < found["interval"][1]


def test_bad_images_stop_or_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    train_classifier(load("digits"), steps=2).save("c.safetensors")
    pictures("a", 140, 10)
    Path("a/013.png").write_bytes(b"\x89PNG no image")
    words = ["fid", "a", "digits", "--features", "c.safetensors", "--resize", "8"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "013.png" in err
    assert err.count("\n") == 1
    assert main([*words, "--skip-bad-images", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["n_real"] == 139
    assert "left out 1 of 140 images" in err
    assert "8x8" in json.loads(out)["protocol"]["resize"]


def test_protocols_that_differ_are_refused_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    for steps in (2, 3):
        train_classifier(load("digits"), steps=steps).save(f"{steps}.safetensors")
    scored(capsys, "fid", "digits", "digits", "--features", "2.safetensors", "--save-stats", "digits.npz")
    words = ["fid", "digits.npz", "digits", "--features", "3.safetensors"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "weights sha256" in err
    assert err.count("\n") == 1
    found = scored(capsys, *words, "--allow-different-protocols")
    assert "weights sha256" in found["protocol"]["differences"][0]


MISTAKES = [
    (["fid"], "REAL, FAKE"),
    (["fid", "real.npy"], "FAKE"),
    (["fid", "real.npy", "fakes.npy"], "fakes.npy: no such file"),
    (["fid", "digist", "fake.npy"], "did you mean 'digits'"),
    (["fid", "real.npy", "fake.npy", "--featuers", "none"], "did you mean '--features'?"),
    (["fid", "digits", "digits", "--features", "incepton"], "did you mean 'inception'?"),
    (["fid", "digits", "digits"], "weights: Inception's are not on this machine"),
    (["fid", "digits", "digits", "--weights", "none.pth"], "none.pth: no such file"),
    (["fid", "digits", "digits", "--features", "none"], "images need `features`"),
    (["fid", "real.npy", "fake.npy", "--weights", "a.pth"], "only --features inception has weights"),
    (["fid", "real.npy", "fake.npy", "--save-stats", "a.txt"], "expected an .npz"),
    (["fid", "real.npy", "fake.npy", "--save-stats", "none/a.npz"], "none: no such folder"),
    (["fid", "real.npy", "fake.npy", "--batch-size", "0"], "batch_size: expected at least 1"),
    (["fid", "real.npy", "narrow.npy"], "fake: expected 4 features"),
    (["fid", "nan.npy", "fake.npy"], "real: expected finite features, got nan or infinity in row 7"),
    (["fid", "broken.npz", "fake.npy"], "broken.npz"),
    (["fid", "indefinite.npz", "fake.npy"], "`real` must be positive semi-definite"),
    (["fid", "empty", "fake.npy"], "empty: no images"),
    (["fid", "mixed", "mixed", "--features", "c.safetensors"], "give resize"),
    (["fid", "digits", "digits", "--features", "digits", "--device", "gpu"], "device: expected"),
    (["kid", "real.npy", "fake.npy", "--subsets", "0"], "subsets: expected at least 1"),
    (["kid", "stats.npz", "fake.npy"], "real: expected samples or features; statistics hold only"),
    (["prdc", "stats.npz", "fake.npy"], "real: expected samples or features; statistics hold only"),
    (["prdc", "real.npy", "narrow.npy"], "fake: expected 4 features"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    np.save("narrow.npy", FAKE[:, :3])
    np.save("nan.npy", np.where(np.arange(300)[:, None] == 7, np.nan, REAL))
    np.savez("stats.npz", mu=REAL.mean(0), sigma=np.cov(REAL, rowvar=False))
    Path("broken.npz").write_bytes(Path("stats.npz").read_bytes()[:300])
    np.savez("indefinite.npz", mu=np.zeros(4), sigma=np.eye(4) + 3 * (1 - np.eye(4)))
    Path("empty").mkdir()
    pictures("mixed", 1, 8)
    Image.new("L", (9, 8)).save("mixed/b.png")
    before = sorted(tmp_path.rglob("*"))
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"gancore {words[0]}: error: ")
    assert said in err
    assert sorted(tmp_path.rglob("*")) == before


def test_features_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\nfrom gancore.cli import main\n"
        "sys.exit(main(['fid', 'real.npy', 'fake.npy', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["value"] == pytest.approx(fid(REAL, FAKE, progress=False).value)


def test_few_samples_are_warned_of_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import warnings

    np.save("few.npy", FAKE[:7])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["fid", "real.npy", "few.npy"]) == 0
    assert capsys.readouterr().err.startswith("gancore fid: warning: fake: 7 samples are too few for 4 features")


def test_inception_from_a_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of --weights, of the resize and of the device, without a network of 2048 features."""
    from gancore.features import InceptionFeatures

    asked = []

    class Pooled(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
            assert x.dtype == torch.uint8
            assert x.shape[1:] == (3, 12, 12)
            return (x.double().mean(dim=3).flatten(1)[:, :2].float(),)

    def load_(weights: Path | None, **settings: Any) -> InceptionFeatures:
        asked.append((weights, settings))
        return InceptionFeatures(Pooled(), {"features": "stand-in", "layer": "64", "resize": "inside"})

    monkeypatch.setattr(InceptionFeatures, "load", load_)
    pictures("a", 20, 10)
    pictures("b", 20, 14, grey=False)
    found = scored(capsys, "fid", "a", "b", "--weights", "w.pth", "--download", "--resize", "12", "--device", "cpu")
    assert asked == [(Path("w.pth"), {"download": True, "device": torch.device("cpu")})]
    assert found["protocol"]["image"] == [3, 12, 12]
    assert found["protocol"]["resize"] == "centre crop, Pillow bicubic (antialiased, 8 bits) to 12x12; then inside"
