"""Which judges a kind of data calls for, and what they look through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.nn.functional import adaptive_avg_pool2d

from gancore.datasets.gaussians import GaussianModes
from gancore.datasets.stacked import Stacked
from gancore.datasets.swiss_roll import SwissRoll
from gancore.errors import DataError, ShapeError, UnknownNameError
from gancore.evaluation.judges import ClassJudge, FrechetJudge, InceptionJudge, ModeJudge, real_features
from gancore.features import FeatureClassifier, train_classifier
from gancore.features.stacked import StackedClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from gancore.datasets import Data
    from gancore.evaluation.judges import Judge

__all__ = ["classifier_of", "frechet_judge", "judges_of"]

_SIDE = 16
"""Images without a classifier are compared by their pixels, larger ones averaged to this side."""

_RADII = 3
"""A sample is at a mode within so many standard deviations of it."""


def judges_of(data: Data, *, folder: Path | None, metrics: Sequence[str] | None = None) -> tuple[Judge, ...]:
    """The judges of samples that should look like these data.

    Labelled images are judged by `fid` in the features of a classifier of the same data, by the `classes` it finds
    and by `inception_score` with its probabilities; stacked ones by a classifier of their channels; other images by
    `fid` on pixels; points by `fid` on their coordinates and, where the modes are known, by `mode_coverage`; tokens by
    `bleu` and `self_bleu`.

    Parameters
    ----------
    data : Data
        The real samples.
    folder : Path or None
        Folder of the run, where the classifier is kept between evaluations.
    metrics : sequence of str, optional
        Which of these metrics; all, if not given.

    Returns
    -------
    tuple of Judge

    Raises
    ------
    UnknownNameError
        If a metric is not one of these data's.

    Examples
    --------
    >>> from gancore.datasets import load
    >>> [judge.name for judge in judges_of(load("ring"), folder=None)]
    ['mode_coverage', 'fid']
    """
    if data.kind == "tokens":
        from gancore.evaluation.text import text_judges

        return _chosen(text_judges(data), data, metrics)
    frechet, classifier = _frechet(data, folder)
    judges: tuple[Judge, ...] = (frechet,)
    if isinstance(data, GaussianModes | SwissRoll):
        judges = (ModeJudge(data.centers, _RADII * data.std, len(data)), frechet)
    elif classifier is not None:
        classes = ClassJudge(classifier, _counts(data, classifier.protocol["classes"]))
        judges = (frechet, classes, InceptionJudge(classifier, len(data)))
    return _chosen(judges, data, metrics)


def _chosen(judges: tuple[Judge, ...], data: Data, metrics: Sequence[str] | None) -> tuple[Judge, ...]:
    """The judges that were asked for."""
    known = {judge.name: judge for judge in judges}
    for name in metrics or ():
        if name not in known:
            raise UnknownNameError(f"metric for {data.name}", name, known)
    return judges if metrics is None else tuple(known[name] for name in metrics)


def frechet_judge(data: Data, *, folder: Path | None) -> FrechetJudge:
    """The judge by `fid` alone, with the features that :func:`judges_of` chooses.

    Parameters
    ----------
    data, folder
        As :func:`judges_of` takes them.

    Returns
    -------
    FrechetJudge

    Examples
    --------
    >>> import torch
    >>> from gancore.datasets import load
    >>> ring = load("ring")
    >>> moved = ring.batch(torch.arange(5000)) + 1.0  # by 1 on both axes
    >>> round(frechet_judge(ring, folder=None).value(moved), 1)
    2.0
    """
    return _frechet(data, folder)[0]


def classifier_of(data: Data, folder: Path | None) -> FeatureClassifier | StackedClassifier:
    """The classifier of these data: the one that a run keeps beside its checkpoints, or a new one, kept there.

    Of stacked images, that of one channel, for joint classes are too many to learn.

    Raises
    ------
    DataError, ShapeError
        If the data have no labels to learn, or are not images of a size that the classifier takes.
    """
    if isinstance(data, Stacked):
        return StackedClassifier(_kept_or_trained(data.base, folder), data.shape[0])
    return _kept_or_trained(data, folder)


def _kept_or_trained(data: Data, folder: Path | None) -> FeatureClassifier:
    path = None if folder is None else folder / "classifier.safetensors"
    if path is not None and path.exists():
        kept = FeatureClassifier.load(path)
        n = kept.protocol["n_train"] + kept.protocol["n_held_out"]
        if (kept.protocol["data"], kept.shape, n) == (data.name, data.shape, len(data)):
            return kept
    classifier = train_classifier(data)
    if path is not None and path.parent.is_dir():
        classifier.save(path)
    return classifier


def _frechet(data: Data, folder: Path | None) -> tuple[FrechetJudge, FeatureClassifier | StackedClassifier | None]:
    """The judge by distance, and the classifier through which it sees, if it does."""
    if data.kind == "points":
        return FrechetJudge(real_features(data, _flat), _flat, {"features": "coordinates"}), None
    try:
        classifier = classifier_of(data, folder)
    except (DataError, ShapeError) as error:
        protocol = {"features": f"pixels, averaged to at most {_SIDE}x{_SIDE}", "no_classifier": str(error)}
        return FrechetJudge(real_features(data, _pixels), _pixels, protocol), None
    features = real_features(data, classifier.features)
    return FrechetJudge(features, classifier.features, classifier.protocol), classifier


def _flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def _pixels(x: Tensor) -> Tensor:
    height, width = x.shape[2:]
    return _flat(adaptive_avg_pool2d(x, (min(height, _SIDE), min(width, _SIDE))))


def _counts(data: Data, classes: Sequence[int]) -> dict[str, int]:
    """How many of the real samples belong to each class, by its name."""
    labels, counts = np.unique(np.asarray(data.labels), return_counts=True)
    by_label: dict[int, int] = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    names = data.label_names
    return {names[c] if 0 <= c < len(names) else str(c): by_label[c] for c in classes}
