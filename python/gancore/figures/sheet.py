"""Grids of images next to each other under their titles: what a person compares, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore._extras import require
from gancore.errors import ShapeError
from gancore.figures.grid import image_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

__all__ = ["sheet"]

_GREY = (118, 131, 144, 255)
"""Of the titles: read on white and on black."""

_SPACE = 24
_TEXT = 20


def sheet(sources: Mapping[str, Any], *, columns: int | None = None) -> Image:
    """Grids of images side by side, each under its title, on no background.

    Parameters
    ----------
    sources : mapping of str to Tensor or ndarray of shape (n, c, h, w), c in {1, 3}
        Images in [-1, 1] under their title.
    columns : int, optional
        Images in a row of each grid; as :func:`image_grid` chooses, if not given.

    Returns
    -------
    PIL.Image.Image
        In mode RGBA.

    Raises
    ------
    ShapeError, DomainError
        If there are no sources, or as :func:`image_grid`.

    Examples
    --------
    >>> import numpy as np
    >>> sheet({"real": np.zeros((4, 1, 8, 8)), "plain": np.ones((4, 1, 8, 8))}).size  # 2 x 118 + 24, 118 + 20 + 12
    (260, 150)
    """
    if not sources:
        raise ShapeError("sources: expected at least one, got none")
    pil = require("PIL.Image", extra="train")
    pen = require("PIL.ImageDraw", extra="train")
    font = require("PIL.ImageFont", extra="train").load_default(_TEXT)
    grids = {title: image_grid(images, columns=columns) for title, images in sources.items()}
    top = _TEXT + _SPACE // 2
    width = sum(grid.width for grid in grids.values()) + _SPACE * (len(grids) - 1)
    canvas: Image = pil.new("RGBA", (width, top + max(grid.height for grid in grids.values())))
    left = 0
    for title, grid in grids.items():
        pen.Draw(canvas).text((left, 0), title, font=font, fill=_GREY)
        canvas.paste(grid, (left, top))
        left += grid.width + _SPACE
    return canvas
