"""Feature networks that metrics look through."""

from __future__ import annotations

from gancore._extras import require

# Before the imports that need it, so that a missing torch is named with its extra.
require("torch", extra="train")

from gancore.features.classifier import FeatureClassifier, train_classifier
from gancore.features.inception import InceptionFeatures

__all__ = ["FeatureClassifier", "InceptionFeatures", "train_classifier"]
