"""Handwritten digits: 1,797 real 8x8 images of ten classes, embedded in the package.

Source: the test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak (1998), UCI
Machine Learning Repository, doi:10.24432/C50P49, licence CC BY 4.0; the same values as
``sklearn.datasets.load_digits``. Each pixel counts the dark dots of a 4x4 block, 0 to 16; here x = v / 8 - 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gancore.datasets._memory import InMemory
from gancore.datasets._pixels import parse_channels, parse_size

if TYPE_CHECKING:
    from gancore.datasets._pixels import ImageSize

__all__ = ["digits"]

_FILE = Path(__file__).with_name("digits.npz")
_WHITE = 16


def digits(*, image_size: ImageSize | None = None, channels: int | None = None) -> InMemory:
    """The embedded handwritten digits.

    Parameters
    ----------
    image_size : int or (int, int), optional
        Resize to this side, or (height, width), from values rounded to 8 bits; as they are (8x8) if not
        given.
    channels : {1, 3}, optional
        Grey (as they are) or RGB.

    Returns
    -------
    Data
        1,797 images of shape (1, 8, 8) in [-1, 1] with labels 0 to 9.

    Raises
    ------
    DomainError
        If a size or a number of channels cannot be had.

    Examples
    --------
    >>> data = digits()
    >>> len(data), data.shape, data.labels[:4].tolist()
    (1797, (1, 8, 8), [0, 1, 2, 3])
    """
    size, channels = parse_size(image_size), parse_channels(channels)
    with np.load(_FILE, allow_pickle=False) as file:
        images, labels = torch.from_numpy(file["images"])[:, None], torch.from_numpy(file["labels"])
    white = _WHITE
    if size is not None or channels == 3:
        # Interpolation needs the levels between 0 and 16: an 8-bit scale first.
        images, white = images.double().mul_(255 / _WHITE).round_().to(torch.uint8), 255
    return InMemory(images, name="digits", labels=labels.long(), white=white, label_names=tuple("0123456789")).fitted(
        size, channels
    )
