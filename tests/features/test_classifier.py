from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from gancore.datasets import as_data, load
from gancore.errors import BackendError, DataError, DomainError, DTypeError, ShapeError
from gancore.features import FeatureClassifier, train_classifier

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def classifier() -> FeatureClassifier:
    return train_classifier(load("digits"))


def labelled(n: int, shape: tuple[int, ...], labels: list[int]) -> torch.utils.data.TensorDataset:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.utils.data.TensorDataset(x, torch.tensor(labels))


def test_reads_digits(classifier: FeatureClassifier) -> None:
    data = load("digits")
    protocol = classifier.protocol
    assert classifier.accuracy > 0.98
    assert protocol["n_train"] + protocol["n_held_out"] == 1797
    # On the whole set it must be at least as good as on the part it never saw, up to that part's errors.
    x = data.batch(torch.arange(1797))
    wrong = int((classifier.predict(x) != data.labels).sum())
    assert wrong >= round((1 - classifier.accuracy) * protocol["n_held_out"])
    assert wrong <= 0.02 * 1797


def test_outputs_belong_together(classifier: FeatureClassifier) -> None:
    x = load("digits").batch(torch.arange(1500))
    features, probabilities = classifier.features(x), classifier.probabilities(x)
    assert (features.shape, features.dtype) == ((1500, 64), torch.float32)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1500))
    assert torch.equal(probabilities.argmax(dim=1), classifier.predict(x))
    # The head is linear in the features: features decide probabilities, whatever the chunk a row fell into.
    torch.testing.assert_close(classifier.features(x[1100:1200]), features[1100:1200])
    assert classifier.features(x[:0]).shape == (0, 64)


def test_a_seed_is_a_classifier_and_torchs_random_state_is_left_alone() -> None:
    data = load("digits")
    before = torch.get_rng_state()
    twins = [train_classifier(data, steps=8, seed=5) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert twins[0].protocol == twins[1].protocol
    other = train_classifier(data, steps=8, seed=6)
    assert other.protocol["weights_sha256"] != twins[0].protocol["weights_sha256"]


def test_the_split_is_stratified_and_held_out() -> None:
    """A class of two images has one on each side; images that were never seen cannot be learned by heart."""
    labels = [0] * 150 + [1] * 150
    noise = train_classifier(labelled(300, (1, 8, 8), labels), steps=60, held_out=0.5)
    assert (noise.protocol["n_train"], noise.protocol["n_held_out"]) == (150, 150)
    # Labels of noise carry nothing: held-out accuracy is a coin's, 4 standard errors wide.
    assert abs(noise.accuracy - 0.5) < 4 * 0.5 / 150**0.5
    rare = train_classifier(labelled(42, (1, 8, 8), [0] * 40 + [9] * 2), steps=2)
    assert (rare.protocol["n_held_out"], rare.protocol["classes"]) == (11, [0, 9])


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (2, 9, 31), (1, 64, 64)])
def test_takes_any_channels_and_sizes(shape: tuple[int, ...]) -> None:
    trained = train_classifier(labelled(12, shape, [3, 7] * 6), steps=2, batch_size=4)
    x = torch.zeros(2, *shape)
    assert trained.features(x).shape == (2, 64)
    assert set(trained.predict(x).tolist()) <= {3, 7}


def test_save_and_load_keep_every_bit(classifier: FeatureClassifier, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    classifier.save(path)
    classifier.save(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    (tmp_path / "any").touch()
    assert path.stat().st_mode == (tmp_path / "any").stat().st_mode, "as readable as the user's other files"
    again = FeatureClassifier.load(path)
    x = load("digits").batch(torch.arange(10))
    assert torch.equal(again.features(x), classifier.features(x))
    assert again.protocol == classifier.protocol


def test_broken_files_are_named(classifier: FeatureClassifier, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(DataError, match="no such file"):
        FeatureClassifier.load(path)
    save_file({"w": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"a\.safetensors: holds weights"):
        FeatureClassifier.load(path)
    classifier.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"a\.safetensors: not a readable"):
        FeatureClassifier.load(path)
    path.write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    with pytest.raises(DataError, match="the file was changed"):
        FeatureClassifier.load(path)


def test_images_it_cannot_take(classifier: FeatureClassifier) -> None:
    for shape in ((2, 3, 8, 8), (2, 1, 8, 9), (1, 8, 8)):
        with pytest.raises(ShapeError, match="x: expected images"):
            classifier.features(torch.zeros(shape))
    with pytest.raises(DTypeError, match="uint8"):
        classifier.predict(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    with pytest.raises(BackendError, match="meta"):
        classifier.probabilities(torch.zeros(2, 1, 8, 8, device="meta"))


def test_data_it_cannot_learn() -> None:
    with pytest.raises(DataError, match="have none"):
        train_classifier(as_data(torch.zeros(4, 1, 8, 8)))
    with pytest.raises(DataError, match="at least 2 classes"):
        train_classifier(labelled(3, (1, 8, 8), [0, 0, 1]))
    for shape in ((1, 4, 4), (1, 8, 65)):
        with pytest.raises(ShapeError, match="sides from 8 to 64"):
            train_classifier(labelled(4, shape, [0, 0, 1, 1]))
    with pytest.raises(ShapeError):
        train_classifier(load("ring"))
    for settings in ({"steps": 0}, {"batch_size": 1}, {"held_out": 0.0}, {"held_out": 1.0}):
        with pytest.raises(DomainError, match=next(iter(settings))):
            train_classifier(load("digits"), **settings)


@pytest.mark.gpu
def test_the_gpu_agrees(classifier: FeatureClassifier) -> None:
    x = load("digits").batch(torch.arange(64))
    there = classifier.to("cuda")
    torch.testing.assert_close(there.features(x.cuda()).cpu(), classifier.features(x), rtol=1e-3, atol=1e-3)
    assert classifier.device.type == "cpu"
