"""Pictures: grids of images, curves of a run, scatters of points. Each is made first, then written or embedded."""

from __future__ import annotations

from gancore.figures.curves import energy_curve, loss_curves
from gancore.figures.grid import image_grid, save_grid, to_pixels
from gancore.figures.png import png_bytes, save_png
from gancore.figures.scatter import scatter
from gancore.figures.sheet import sheet
from gancore.figures.style import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "energy_curve",
    "image_grid",
    "loss_curves",
    "png_bytes",
    "save_grid",
    "save_png",
    "scatter",
    "sheet",
    "to_pixels",
]
