"""The one rule for sizes and channels: crop about the centre, resize, convert to grey or RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gancore._extras import require
from gancore.errors import DomainError, IncompatibleChoiceError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ImageSize", "fit_image", "fit_stack", "parse_channels", "parse_size"]

ImageSize = int | tuple[int, int]
"""Side of a square, or (height, width); pixels."""


def parse_size(image_size: ImageSize | None) -> tuple[int, int] | None:
    """Height and width, checked."""
    if image_size is None:
        return None
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if height < 1 or width < 1:
        raise DomainError(f"image_size: expected a positive int or (height, width), got {image_size!r}")
    return height, width


def parse_channels(channels: int | None) -> int | None:
    """The wanted number of channels, checked."""
    if channels not in (None, 1, 3):
        raise DomainError(f"channels: expected 1 (grey) or 3 (RGB), got {channels!r}")
    return channels


def fit_image(image: Any, size: tuple[int, int] | None, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """An 8-bit Pillow image as (c, h, w), cropped about its centre and resized (antialiased bicubic)."""
    pil = require("PIL.Image", extra="train")
    if "transparency" in image.info:
        image = image.convert("RGBA")
    # Palettes and bits have no intermediate values: colours are looked up before anything is averaged.
    image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (image.height, image.width) != size:
        ops = require("PIL.ImageOps", extra="train")
        image = ops.fit(image, (size[1], size[0]), method=pil.Resampling.BICUBIC)
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def fit_stack(values: Tensor, size: tuple[int, int] | None, channels: int | None) -> Tensor:
    """Bring uint8 images (n, c, h, w) with c = 1 or 3 to a size and a number of channels."""
    channels = channels or values.shape[1]
    if channels == values.shape[1] and size in (None, tuple(values.shape[2:])):
        return values
    if values.shape[1] not in (1, 3):
        raise IncompatibleChoiceError(
            f"image_size, channels: expected images of 1 or 3 channels, these have {values.shape[1]}"
        )
    pil = require("PIL.Image", extra="train")
    height, width = size or tuple(values.shape[2:])
    fitted = torch.empty((len(values), channels, height, width), dtype=torch.uint8)
    for row, image in enumerate(values.numpy()):
        picture = pil.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
        fitted[row] = torch.from_numpy(fit_image(picture, size, channels).copy())
    return fitted
