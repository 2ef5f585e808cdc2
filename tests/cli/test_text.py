"""A file of captions from the command line to a report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gancore.cli import main
from gancore.training import Run

SETTINGS = "pretrain_steps=60 critic_pretrain_rounds=2 critic_rounds=1 critic_samples=64 n_rollouts=1 batch_size=32"
COLOURS, THINGS, PLACES = ("red", "blue", "old"), ("bus", "cat", "bike", "dog"), ("street", "park", "kitchen", "field")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Two hundred captions of the COCO kind: one to four words longer than the shortest."""
    rng = np.random.default_rng(0)

    def caption() -> str:
        words = ["a", *rng.choice(COLOURS, rng.integers(0, 3)), rng.choice(THINGS)]
        return " ".join(words + (["in", "the", rng.choice(PLACES)] if rng.random() < 0.7 else []))

    return [caption() for _ in range(200)]


@pytest.fixture(scope="module")
def trained(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    (folder / "captions.txt").write_text("\n".join(lines), encoding="utf-8")
    words = ["train", "seqgan", "--data", str(folder / "captions.txt"), "--out", str(folder / "run"), "--steps", "65"]
    assert main([*words, "-q", "--set", *SETTINGS.split()]) == 0
    return folder / "run"


def test_a_run_on_text_is_tracked_by_held_out_likelihood(trained: Path) -> None:
    run = Run.load(trained)
    assert (run.kind, run.step) == ("tokens", 65)
    assert run.vocabulary.words[0] == "<end>"
    tracked = [entry["nll_test"] for entry in run.history if "nll_test" in entry]
    assert tracked[0] > 1.5 * tracked[-1]


def test_samples_are_printed_or_written_as_lines(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(trained), "-n", "30", "-q"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 30
    known = {"a", "in", "the", *COLOURS, *THINGS, *PLACES}
    assert {word for line in printed for word in line.split()} <= known
    assert len({len(line.split()) for line in printed}) > 1, "lengths vary"
    assert sum(line.startswith("a ") for line in printed) > 20
    assert main(["sample", str(trained), "-n", "30", "-q", "-o", str(tmp_path / "s.txt")]) == 0
    assert (tmp_path / "s.txt").read_text().splitlines() == printed
    assert main(["sample", str(trained), "-n", "3", "-q", "-o", str(tmp_path / "s.npz")]) == 0
    assert np.load(tmp_path / "s.npz")["x"].dtype == np.int64
    capsys.readouterr()
    for words in (["-o", "s.png"], ["--sampler", "ddls"]):
        assert main(["sample", str(trained), "-n", "3", "-q", *words]) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("gancore sample: error: ")


def test_the_report_has_bleu_self_bleu_likelihood_and_sentences(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(trained), "-n", "100", "-q"]) == 0
    out, err = capsys.readouterr()
    assert "NLL-test" in out
    assert not err
    scores = json.loads((trained / "metrics.json").read_text())["scores"]
    assert scores.keys() == {"untrained", "plain"}
    for n in (2, 3, 4, 5):
        assert 0 <= scores["untrained"]["bleu"][f"bleu_{n}"] < scores["plain"]["bleu"][f"bleu_{n}"] <= 1
        assert 0 <= scores["plain"]["self_bleu"][f"self_bleu_{n}"] <= 1
    assert scores["plain"]["nll_test"]["value"] < scores["untrained"]["nll_test"]["value"]
    assert scores["plain"]["nll_test"]["held_out"]
    page = (trained / "report.html").read_text()
    shown = (trained / "samples.txt").read_text().splitlines()
    assert len(shown) == 20
    assert all(line in page and line in out for line in shown[:10])


def test_a_run_on_text_goes_on(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", "--out", str(trained), "--steps", "66", "-q"]) == 0
    assert Run.load(trained).step == 66


def test_characters_are_tokens_too(lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    words = ["train", "seqgan", "--data", str(tmp_path / "a.txt"), "--tokenizer", "characters", "-q", "--no-metrics"]
    settings = [*SETTINGS.split()[1:], "pretrain_steps=3"]
    assert main([*words, "--out", str(tmp_path / "run"), "--steps", "6", "--set", *settings]) == 0
    run = Run.load(tmp_path / "run")
    assert run.vocabulary.tokenizer == "characters"
    assert max(map(len, run.vocabulary.words[1:])) == 1
    assert main(["train", "--resume", "--out", str(tmp_path / "run"), "--steps", "7", "-q", "--no-metrics"]) == 0


def test_a_broken_line_is_one_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes(b"fine\n\xff\n")
    assert main(["train", "seqgan", "--data", str(tmp_path / "a.txt"), "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert "line 2" in err
    assert err.count("\n") == 1


def test_two_hundred_real_captions(data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captions = (data_root / "text" / "image_coco.txt").read_text(encoding="utf-8").splitlines()[:200]
    (tmp_path / "coco.txt").write_text("\n".join(captions), encoding="utf-8")
    words = ["train", "seqgan", "--data", str(tmp_path / "coco.txt"), "--out", str(tmp_path / "run"), "--steps", "64"]
    assert main([*words, "-q", "--set", *SETTINGS.split()]) == 0
    assert main(["evaluate", str(tmp_path / "run"), "-n", "50", "-q"]) == 0
    scores = json.loads((tmp_path / "run" / "metrics.json").read_text())["scores"]
    assert scores["plain"]["bleu"]["bleu_2"] > scores["untrained"]["bleu"]["bleu_2"]
    assert "NLL-test" in capsys.readouterr().out
