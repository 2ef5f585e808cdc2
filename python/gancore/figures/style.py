"""How figures look: ink on no background, in two themes, without any global state of matplotlib."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gancore._extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DARK", "LIGHT", "Theme", "label", "panels"]


@dataclass(frozen=True)
class Theme:
    """Colours of a figure that stands on a page of its own background.

    Parameters
    ----------
    ink, muted, rule : str
        Colours of text, of axes and notes, of grid lines.
    series : tuple of str
        Colours of what is plotted, in order; told apart by readers who are colour-blind.
    """

    ink: str
    muted: str
    rule: str
    series: tuple[str, ...]


LIGHT = Theme("#1f2328", "#656d76", "#d8dee4", ("#0a5fb4", "#d1570e", "#12805c", "#8250df", "#a8720a"))
"""For a white page."""

DARK = Theme("#e6edf3", "#9198a1", "#30363d", ("#6cb0ff", "#ff9b57", "#4ac99b", "#c297ff", "#e3b341"))
"""For a black page."""


def panels(
    count: int, theme: Theme, *, size: tuple[float, float], columns: int | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure of panels, each of `size` inches, so many in a row (all, if not given), in the colours of a theme."""
    columns = min(count, columns or count)
    rows = math.ceil(count / columns)
    figure = require("matplotlib.figure", extra="train").Figure(
        figsize=(size[0] * columns, size[1] * rows), layout="constrained"
    )
    axes, left_over = np.split(figure.subplots(rows, columns, squeeze=False).ravel(), [count])
    for panel in left_over:
        panel.remove()
    for panel in axes:
        panel.set_facecolor("none")
        panel.grid(visible=True, color=theme.rule, linewidth=0.6)
        panel.set_axisbelow(True)
        panel.tick_params(colors=theme.muted, labelsize=8, length=0)
        for side, spine in panel.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(theme.rule)
    return figure, list(axes)


def label(panel: Axes, theme: Theme, *, title: str, x: str = "", y: str = "") -> None:
    """Write title and axes' names in the colours of a theme."""
    panel.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=theme.ink, pad=8)
    panel.set_xlabel(x, fontsize=8.5, color=theme.muted)
    panel.set_ylabel(y, fontsize=8.5, color=theme.muted)
