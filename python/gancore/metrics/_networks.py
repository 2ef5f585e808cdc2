"""Feature networks by the names that people write."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from gancore._extras import require
from gancore.errors import DataError, IncompatibleChoiceError, UnknownNameError

__all__ = ["NAMES", "network_of"]

NAMES = ("digits", "fashion-mnist", "inception", "mnist")
"""Inception, and labelled data on which a classifier is trained."""


def network_of(features: Any, *, device: Any, weights: str | Path | None, download: bool) -> Any:
    """What `features` names, on its device; anything but a name or a path is returned as it is.

    Raises
    ------
    UnknownNameError, DataError, IncompatibleChoiceError
        If there is no such network, its file is none, or weights are given for another than Inception.
    """
    if features != "inception" and (weights is not None or download):
        raise IncompatibleChoiceError("weights, download: only features='inception' takes weights from a file")
    if not isinstance(features, str | Path):
        return features
    require("torch", extra="train")
    from gancore.training.device import resolve_device

    place = resolve_device("auto" if device is None else device)
    if features == "inception":
        from gancore.features import InceptionFeatures

        return InceptionFeatures.load(weights, download=download, device=place)
    if features in NAMES:
        return _trained_on(str(features)).to(place)
    return _read(Path(features)).to(place)


@cache
def _trained_on(name: str) -> Any:
    """A classifier of labelled data; the seed is fixed, so that a name means one network on one machine."""
    from gancore.datasets import load
    from gancore.features import train_classifier

    return train_classifier(load(name))


def _read(path: Path) -> Any:
    from gancore.features import FeatureClassifier

    if path.is_dir():
        path = path / "classifier.safetensors"
        if not path.is_file():
            raise DataError(
                f"features: {path}: no such file; gancore evaluate RUN trains a classifier and keeps it there"
            )
    elif not path.exists() and not path.suffix and len(path.parts) == 1:
        raise UnknownNameError("features", str(path), NAMES)
    return FeatureClassifier.load(path)
