"""How figures look: ink on no background, in two themes, without any global state of matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def panels(count: int, theme: Theme, *, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure of panels in a row, each of `size` inches, in the colours of a theme."""
    figure = require("matplotlib.figure", extra="train").Figure(
        figsize=(size[0] * count, size[1]), layout="constrained"
    )
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for panel in axes:
        panel.set_facecolor("none")
        panel.grid(visible=True, color=theme.rule, linewidth=0.6)
        panel.set_axisbelow(True)
        panel.tick_params(colors=theme.muted, labelsize=8, length=0)
        for side, spine in panel.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(theme.rule)
    return figure, axes


def label(panel: Axes, theme: Theme, *, title: str, x: str = "", y: str = "") -> None:
    """Write title and axes' names in the colours of a theme."""
    panel.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=theme.ink, pad=8)
    panel.set_xlabel(x, fontsize=8.5, color=theme.muted)
    panel.set_ylabel(y, fontsize=8.5, color=theme.muted)
