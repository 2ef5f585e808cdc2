"""Feature networks that metrics look through."""

from __future__ import annotations

from gancore.features.classifier import FeatureClassifier, train_classifier

__all__ = ["FeatureClassifier", "train_classifier"]
