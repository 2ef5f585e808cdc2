"""From a picture to a PNG file, whole or absent, or to the bytes of one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from gancore._files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

__all__ = ["png_bytes", "save_png"]

_DOTS_PER_INCH = 160


def png_bytes(picture: Image | Figure, *, background: str = "none") -> bytes:
    """The picture as a PNG file in memory.

    Parameters
    ----------
    picture : PIL.Image.Image or matplotlib.figure.Figure
        A figure is drawn by Agg at 160 dots an inch.
    background : str
        Colour behind a figure; ``none`` lets the page shine through.

    Returns
    -------
    bytes

    Examples
    --------
    >>> import numpy as np
    >>> from gancore.figures import image_grid
    >>> png_bytes(image_grid(np.zeros((4, 1, 8, 8))))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    if hasattr(picture, "savefig"):
        picture.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor=background)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def save_png(picture: Image | Figure, path: str | Path, *, background: str = "none") -> Path:
    """Write a picture to a PNG file: the whole file or nothing.

    Parameters
    ----------
    picture, background
        As :func:`png_bytes` takes them.
    path : path
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from gancore.figures import image_grid
    >>> save_png(image_grid(np.zeros((4, 1, 8, 8))), Path(tempfile.mkdtemp(), "grid.png")).name
    'grid.png'
    """
    path = Path(path)
    content = png_bytes(picture, background=background)
    with atomic_write(path) as aside:
        aside.write_bytes(content)
    return path
