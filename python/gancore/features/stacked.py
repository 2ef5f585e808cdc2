"""A classifier of stacked images, made of one that knows a single channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch

from gancore.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.features.classifier import FeatureClassifier

__all__ = ["StackedClassifier"]


@final
class StackedClassifier:
    """Channel by channel: features side by side, probabilities multiplied.

    Parameters
    ----------
    base : FeatureClassifier
        Knows grey images (1, h, w).
    channels : int
        How many are stacked.

    Attributes
    ----------
    protocol : dict
        That of `base`, with the joint classes and ``stacked``, the number of channels.
    """

    def __init__(self, base: FeatureClassifier, channels: int) -> None:
        self.base = base
        self.channels = channels
        joint = list(range(len(base.protocol["classes"]) ** channels))
        self.protocol: dict[str, Any] = {**base.protocol, "classes": joint, "stacked": channels}

    def features(self, x: Tensor) -> Tensor:
        """Features (n, 64 channels) of images (n, channels, h, w)."""
        return torch.cat([self.base.features(part) for part in self._split(x)], dim=1)

    def probabilities(self, x: Tensor) -> Tensor:
        """Probabilities (n, classes ** channels) of the joint classes, the first channel foremost."""
        first, *others = (self.base.probabilities(part) for part in self._split(x))
        for other in others:
            first = (first.unsqueeze(2) * other.unsqueeze(1)).flatten(1)
        return first

    def _split(self, x: Tensor) -> list[Tensor]:
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ShapeError(f"x: expected images (n, {self.channels}, h, w), got shape {tuple(x.shape)}")
        return [x[:, i : i + 1] for i in range(self.channels)]
