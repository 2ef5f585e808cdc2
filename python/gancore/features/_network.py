"""The network behind the classifier: one rule for images of any channels and of sides from 8 to 64 pixels."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gancore.errors import ShapeError

__all__ = ["FEATURES", "ClassifierNetwork"]

FEATURES = 64
"""Width of the layer that metrics look through."""

_SIDE = 4


class ClassifierNetwork(nn.Module):
    """Stages of 3x3 convolutions that halve the image down to 4x4, a layer of 64 features, and a linear head.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of the images; sides from 8 to 64.
    n_classes : int
        Width of the head.

    Raises
    ------
    ShapeError
        If the images are none that it is made for.
    """

    def __init__(self, shape: tuple[int, ...], n_classes: int) -> None:
        super().__init__()
        if len(shape) != 3 or not 8 <= min(shape[1:]) <= max(shape[1:]) <= 64:
            raise ShapeError(f"data: expected images (c, h, w) with sides from 8 to 64, got shape {shape}")
        layers: list[nn.Module] = []
        stages = math.ceil(math.log2(max(shape[1:]) / _SIDE))
        # Large images pay for the width of the first stages by the square of their side.
        width = 32 if stages == 1 else 16
        layers += _convolution(shape[0], width, stride=1)
        for _ in range(stages):
            layers += _convolution(width, min(2 * width, 128), stride=2)
            width = min(2 * width, 128)
        layers += [nn.AdaptiveAvgPool2d(_SIDE), nn.Flatten(), nn.Linear(width * _SIDE**2, FEATURES), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits of images: (n, c, h, w) -> (n, classes)."""
        logits: Tensor = self.head(self.body(x))
        return logits


def _convolution(inputs: int, outputs: int, *, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
