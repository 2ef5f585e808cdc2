from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gancore.datasets import load
from gancore.datasets.stacked import stacked
from gancore.errors import DataError, DomainError, IncompatibleChoiceError
from gancore.evaluation.panel import classifier_of, judges_of


@pytest.fixture(scope="module")
def pairs():
    return stacked(load("digits"), channels=2, n=4000)


def test_channels_are_the_images_that_the_label_names(pairs) -> None:
    digits = load("digits")
    every = digits.batch(torch.arange(len(digits)))[:, 0]
    x, labels = pairs.batch(torch.arange(20)), pairs.labels[:20]
    for image, label in zip(x, labels.tolist(), strict=True):
        for channel, digit in zip(image, divmod(label, 10), strict=True):
            found = (every == channel).all(dim=(1, 2)).nonzero()[:, 0]
            assert digit in digits.labels[found].tolist()


def test_joint_classes_are_even(pairs) -> None:
    counts = np.bincount(pairs.labels.numpy(), minlength=100)
    assert (counts > 0).all()
    # A chi-square of 99 degrees of freedom, against the base's own shares; four standard deviations.
    share = np.bincount(load("digits").labels.numpy()) / len(load("digits"))
    expected = np.outer(share, share).ravel() * len(pairs)
    assert ((counts - expected) ** 2 / expected).sum() < 99 + 4 * math.sqrt(2 * 99)


def test_modes_are_read_channel_by_channel(pairs) -> None:
    classifier = classifier_of(pairs, None)
    x = pairs.batch(torch.arange(500))
    probabilities = classifier.probabilities(x)
    assert probabilities.shape == (500, 100)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(500))
    assert (probabilities.argmax(1) == pairs.labels[:500]).double().mean() > 0.95
    assert classifier.features(x).shape == (500, 128)


def test_a_collapse_in_one_channel_is_seen(pairs) -> None:
    """Real samples reach all 100 modes; with the second channel held at one image, ten are left."""
    judges = {judge.name: judge for judge in judges_of(pairs, folder=None)}
    x = pairs.batch(torch.arange(4000))
    stuck = x.clone()
    stuck[:, 1] = x[0, 1]
    assert judges["classes"].score(x)["value"] == 100
    assert judges["classes"].score(stuck)["value"] <= 10
    assert judges["fid"].value(stuck) > 10 * judges["fid"].value(x)


def test_what_cannot_be_stacked_raises() -> None:
    with pytest.raises(DataError, match="grey"):
        stacked(load("ring"), channels=2)
    with pytest.raises(DataError, match="grey"):
        stacked(load("digits", channels=3))
    with pytest.raises(DomainError, match="channels"):
        stacked(load("digits"), channels=7)
    with pytest.raises(IncompatibleChoiceError, match="channels"):
        load("stacked-mnist", channels=1)
