from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import gancore
from gancore.datasets import load
from gancore.errors import DataError, DomainError, ShapeError, UnknownNameError
from gancore.evaluation import evaluate, track
from gancore.evaluation.drawing import draw
from gancore.features import train_classifier

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.training import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    system = gancore.systems.get("dcgan")(width=8, extra_layers=0)
    trained = gancore.train(system, "digits", steps=40, out=folder, progress=False)
    train_classifier(load("digits"), steps=60).save(folder / "classifier.safetensors")
    return trained


def test_every_source_has_every_score(run: Run) -> None:
    found = evaluate(run, n=200, settings={"ddls": {"steps": 4}}, progress=False)
    assert list(found.scores) == ["untrained", "plain", "ddls"]
    assert found.failures == {}
    for scores in found.scores.values():
        assert list(scores) == ["fid", "classes", "inception_score"]
        for score in scores.values():
            assert {"interval", "n_real", "n_fake", "protocol"} <= score.keys()
            assert "value" in score or {"mean", "std"} <= score.keys()
            assert (score["n_real"], score["n_fake"]) == (1797, 200)
    assert found.protocol["calibration"] == {"data": "digits", "n": 1797, "held_out": False}
    assert len(found.samplers["ddls"].energies) == 5
    assert {name: len(x) for name, x in found.samples.items()} == dict.fromkeys(found.samples, 64)
    assert "real" in found.samples


def test_samples_are_those_of_the_run(run: Run) -> None:
    found = evaluate(run, samplers=["plain"], metrics=["fid"], n=200, seed=3, progress=False)
    assert torch.equal(found.samples["plain"], run.sample(200, seed=3).x[:64])
    z = run.sample(200, seed=3).z
    assert torch.equal(found.samples["untrained"], run.untrained_generator()(z)[:64])


def test_the_same_seed_gives_the_same_scores(run: Run) -> None:
    one, two, other = (
        evaluate(run, samplers=["plain"], metrics=["fid"], n=200, seed=seed, progress=False) for seed in (1, 1, 2)
    )
    assert one.scores == two.scores
    assert one.scores != other.scores


def test_the_critic_is_calibrated_unless_told_otherwise(run: Run) -> None:
    data = load("digits")

    def sampled(**settings: object) -> object:
        return draw(run, "ddls", 8, seed=0, calibrate=data, progress=False, settings={"steps": 2, **settings}).info

    assert sampled().calibration["n_real"] == 1796
    assert sampled(calibrate=None).calibration == {}


def test_a_sampler_that_the_critic_cannot_lead_is_reported_and_the_rest_judged() -> None:
    blind = gancore.train("gan", "ring", steps=1, progress=False)
    with torch.no_grad():
        for parameter in blind.critic.parameters():
            parameter.fill_(float("nan"))
    found = evaluate(blind, n=100, progress=False)
    assert list(found.scores) == ["untrained", "plain"]
    assert list(found.failures) == ["ddls"]
    assert "critic" in found.failures["ddls"]
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_run_on_a_tensor_is_judged_against_what_is_given() -> None:
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    run = gancore.train("gan", points, steps=2, progress=False)
    found = run.evaluate(points, metrics=["fid"], n=50, settings={"ddls": {"steps": 2}}, progress=False)
    assert found.scores["plain"]["fid"]["n_real"] == 200
    with pytest.raises(DataError, match="'tensor'"):
        evaluate(run, progress=False)


def test_points_are_judged_by_their_modes() -> None:
    ring = load("ring")
    run = gancore.train("gan", ring, steps=2, progress=False)
    found = evaluate(run, ring, samplers=["plain"], n=100, progress=False)
    assert torch.equal(found.centers, ring.centers)
    assert found.of_points
    score = found.scores["plain"]["mode_coverage"]
    near = torch.cdist(run.sample(100, seed=0).x, ring.centers).min(dim=1).values <= 0.06
    assert score["high_quality"] == pytest.approx(near.double().mean().item())


def test_what_does_not_fit_is_refused(run: Run) -> None:
    with pytest.raises(ShapeError, match=r"\(1, 8, 8\)"):
        evaluate(run, torch.zeros(50, 1, 16, 16) - 1, progress=False)
    with pytest.raises(UnknownNameError, match="'ddls'"):
        evaluate(run, samplers=["dlds"], progress=False)
    with pytest.raises(UnknownNameError, match="metric"):
        evaluate(run, metrics=["mode_coverage"], progress=False)
    with pytest.raises(DomainError, match="n:"):
        evaluate(run, n=1, progress=False)


def test_a_tracked_metric_is_that_of_the_evaluation(run: Run) -> None:
    history = run.folder
    fid = track(load("digits"), history)["fid"]
    found = evaluate(run, samplers=["plain"], metrics=["fid"], n=1000, progress=False)
    assert fid(run) == pytest.approx(found.scores["plain"]["fid"]["value"], rel=1e-9)


def test_tracking_reaches_the_history_and_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    ring = load("ring")
    plain, tracked = (
        gancore.train("gan", ring, steps=4, metrics=metrics, evaluate_every=2, progress=False)
        for metrics in (None, track(ring, tmp_path))
    )
    assert [entry["step"] for entry in tracked.history if "fid" in entry] == [2, 4]
    for one, two in zip(plain.generator.parameters(), tracked.generator.parameters(), strict=True):
        assert torch.equal(one, two)


def test_json_has_no_nan(run: Run) -> None:
    found = evaluate(run, samplers=["plain"], metrics=["fid"], n=200, progress=False)
    found.scores["plain"]["fid"]["value"] = float("nan")
    found.scores["plain"]["fid"]["interval"] = (np.inf, 1.0)
    score = json.loads(json.dumps(found.to_dict(), allow_nan=False))["scores"]["plain"]["fid"]
    assert score["value"] is None
    assert score["interval"] == [None, 1.0]


def test_a_missing_extra_is_named() -> None:
    code = """
import sys
sys.modules["torch"] = None
import gancore.evaluation
try:
    gancore.evaluation.evaluate
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("MissingExtraError torch is not installed; install it with: pip install 'gancore[")
