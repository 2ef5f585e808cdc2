"""Images side by side in one picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._extras import require
from gancore.errors import DomainError, ShapeError
from gancore.figures.png import save_png

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["image_grid", "save_grid", "to_pixels"]

_READABLE = 56
"""Pixels: smaller images are enlarged until their longer side has as many."""


def to_pixels(images: Any) -> NDArray[np.uint8]:
    r"""Images in [-1, 1] as bytes: :math:`\mathrm{round}(127.5\,(x + 1))`, clipped to [0, 255].

    Parameters
    ----------
    images : Tensor or ndarray of shape (n, c, h, w), c in {1, 3}
        Values in [-1, 1], on any device.

    Returns
    -------
    ndarray of uint8, shape (n, h, w, c)

    Raises
    ------
    ShapeError
        If these are not images of one or three channels.
    DomainError
        If a value is nan or infinite.

    Examples
    --------
    >>> to_pixels(np.array([-1.0, 0.0, 1.0, 1.5]).reshape(1, 1, 2, 2)).ravel().tolist()
    [0, 128, 255, 255]
    """
    values = np.asarray(images.detach().float().cpu() if hasattr(images, "detach") else images, dtype=np.float64)
    if values.ndim != 4 or values.shape[1] not in (1, 3) or 0 in values.shape:
        raise ShapeError(f"images: expected shape (n, 1 or 3, h, w), got {values.shape}")
    if not np.isfinite(values).all():
        raise DomainError("images: expected finite values, got nan or infinity")
    pixels: NDArray[np.uint8] = np.rint(np.clip((values + 1) * 127.5, 0, 255)).astype(np.uint8).transpose(0, 2, 3, 1)
    return pixels


def image_grid(images: Any, *, columns: int | None = None, gap: int | None = None) -> Image:
    """Images side by side, row by row, with transparent gaps.

    Images smaller than 56 pixels are enlarged by a whole factor, pixel by pixel, so that what is seen is what is
    there.

    Parameters
    ----------
    images : Tensor or ndarray of shape (n, c, h, w), c in {1, 3}
        Values in [-1, 1].
    columns : int, optional
        Images in a row; as many as make the grid nearly square, if not given.
    gap : int, optional
        Pixels between images; a tenth of an image's side, if not given.

    Returns
    -------
    PIL.Image.Image
        In mode RGBA.

    Raises
    ------
    ShapeError, DomainError
        If these are not finite images of one or three channels, or `columns` is not positive.

    Examples
    --------
    >>> image_grid(np.zeros((6, 1, 8, 8)), columns=3).size  # 3 x 56 + 2 x 6, 2 x 56 + 6
    (180, 118)
    """
    pixels = to_pixels(images)
    n, height, width, _ = pixels.shape
    columns = math.ceil(math.sqrt(n)) if columns is None else columns
    factor = max(1, math.ceil(_READABLE / max(height, width)))
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor
    gap = round(max(height, width) / 10) if gap is None else gap
    if columns < 1 or gap < 0:
        raise DomainError(f"columns, gap: expected at least 1 and 0, got {columns} and {gap}")
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width, :3] = image
        canvas[top : top + height, left : left + width, 3] = 255
    picture: Image = require("PIL.Image", extra="train").fromarray(canvas)
    return picture


def save_grid(images: Any, path: str | Path, *, columns: int | None = None, gap: int | None = None) -> Path:
    """Write images side by side to a PNG file: the whole file or nothing.

    Parameters
    ----------
    images, columns, gap
        As :func:`image_grid` takes them.
    path : path
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ShapeError, DomainError
        As :func:`image_grid`.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> save_grid(np.zeros((4, 3, 32, 32)), tempfile.mkdtemp() + "/grid.png").name
    'grid.png'
    """
    return save_png(image_grid(images, columns=columns, gap=gap), path)
