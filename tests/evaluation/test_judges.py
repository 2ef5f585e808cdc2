from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
import scipy.linalg
import torch

from gancore.datasets import as_data, load
from gancore.errors import UnknownNameError
from gancore.evaluation.judges import ClassJudge, FrechetJudge, InceptionJudge, ModeJudge
from gancore.evaluation.panel import classifier_of, frechet_judge, judges_of
from gancore.features import train_classifier

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.features import FeatureClassifier


@pytest.fixture(scope="module")
def classifier() -> FeatureClassifier:
    return train_classifier(load("digits"), steps=60)


class Oracle:
    """Reads the class of an image from its first pixel."""

    protocol: ClassVar = {"features": "oracle"}

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(x[:, 0, 0, 0].long(), 4).double()


def images(*classes: int) -> torch.Tensor:
    return torch.tensor(classes, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def scipy_frechet(x: np.ndarray, y: np.ndarray) -> float:
    a, b = np.cov(x.T), np.cov(y.T)
    cross = scipy.linalg.sqrtm(a @ b).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * cross))


def test_the_distance_is_scipys() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(400, 5)), rng.normal(0.5, 2.0, size=(300, 5))
    judge = FrechetJudge(real, lambda x: x, {"features": "coordinates"})
    score = judge.score(torch.from_numpy(fake))
    assert score["value"] == pytest.approx(scipy_frechet(real, fake), rel=1e-6)
    assert judge.value(torch.from_numpy(fake)) == score["value"]
    assert score["interval"][0] < score["value"] < score["interval"][1]
    assert (score["n_real"], score["n_fake"]) == (400, 300)
    assert score["protocol"]["features"] == "coordinates"


def test_classes_are_counted_against_their_real_shares() -> None:
    judge = ClassJudge(Oracle(), {"a": 20, "b": 20, "c": 5, "d": 5})
    # 100 fakes: a class of share 0.4 is found from 4 on, one of share 0.1 from 1 on.
    score = judge.score(images(*[0] * 95, *[1] * 4, 2))
    assert (score["value"], score["of"]) == (3, 4)
    assert score["counts"] == {"a": 95, "b": 4, "c": 1, "d": 0}
    assert score["total_variation"] == pytest.approx(0.55)
    assert judge.score(images(*[0] * 96, *[1] * 3, 2))["value"] == 2
    assert (score["n_real"], score["n_fake"]) == (50, 100)


def test_the_score_of_even_and_certain_classes_is_their_number() -> None:
    score = InceptionJudge(Oracle(), n_real=7).score(images(*[0, 1, 2, 3] * 10))
    assert score["mean"] == pytest.approx(4.0)
    assert score["std"] == pytest.approx(0.0, abs=1e-9)


def test_modes_are_counted_within_the_radius() -> None:
    centers = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    score = ModeJudge(centers, 0.5, n_real=9).score(torch.tensor([[0.1, 0.0], [0.0, 0.2], [2.0, 0.0], [9.0, 9.0]]))
    assert (score["value"], score["of"], score["high_quality"]) == (1, 2, 0.5)
    assert score["kl"] == pytest.approx(np.log(2))


def test_real_samples_are_at_no_distance_from_themselves(classifier: FeatureClassifier, tmp_path: Path) -> None:
    data = load("digits")
    classifier.save(tmp_path / "classifier.safetensors")
    frechet, classes, inception = judges_of(data, folder=tmp_path)
    x = data.batch(torch.arange(len(data)))
    assert frechet.score(x)["value"] == pytest.approx(0.0, abs=1e-6)
    # The classifier errs on some, so that shares differ by at most its errors on all images.
    assert classes.score(x)["value"] == 10
    assert classes.score(x)["total_variation"] < 0.1
    assert inception.score(x)["mean"] > 2
    assert frechet.score(x)["protocol"]["weights_sha256"] == classifier.protocol["weights_sha256"]


def test_the_classifier_is_kept_and_used_again(classifier: FeatureClassifier, tmp_path: Path) -> None:
    data = load("digits")
    classifier.save(tmp_path / "classifier.safetensors")
    assert classifier_of(data, tmp_path).protocol == classifier.protocol


def test_a_classifier_of_other_data_is_not_used(
    classifier: FeatureClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gancore.evaluation.panel.train_classifier", partial(train_classifier, steps=5))
    classifier.save(tmp_path / "classifier.safetensors")
    digits = load("digits")
    rows = torch.arange(0, 1797, 20)
    other = as_data(torch.utils.data.TensorDataset(digits.batch(rows), digits.labels[rows]))
    new = classifier_of(other, tmp_path)
    assert new.protocol["n_train"] + new.protocol["n_held_out"] == len(rows)
    kept = classifier_of(other, tmp_path)
    assert kept.protocol == new.protocol


def test_each_kind_of_data_has_its_metrics(classifier: FeatureClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path / "classifier.safetensors")
    noise = torch.rand(600, 3, 20, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = {
        "digits": (load("digits"), ["fid", "classes", "inception_score"]),
        "unlabelled": (as_data(noise), ["fid"]),
        "points": (as_data(noise[:, 0, 0, :2]), ["fid"]),
        "modes": (load("ring"), ["mode_coverage", "fid"]),
    }
    for data, names in expected.values():
        assert [judge.name for judge in judges_of(data, folder=tmp_path)] == names
    (only,) = judges_of(load("ring"), folder=None, metrics=["mode_coverage"])
    assert only.name == "mode_coverage"
    with pytest.raises(UnknownNameError, match="metric for ring 'classes'"):
        judges_of(load("ring"), folder=None, metrics=["classes"])


def test_pixels_are_averaged_and_said_to_be() -> None:
    x = torch.rand(600, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    judge = frechet_judge(as_data(x), folder=None)
    assert judge.real.shape == (600, 256)
    np.testing.assert_allclose(judge.real, x.reshape(600, 16, 2, 16, 2).mean(dim=(2, 4)).flatten(1), atol=1e-6)
    assert "pixels" in judge.protocol["features"]
    assert "labels" in judge.protocol["no_classifier"]
