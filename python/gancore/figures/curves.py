"""Curves of a run: the losses by step, and the energy along a Langevin chain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gancore._extras import require
from gancore.errors import DataError
from gancore.figures.style import LIGHT, Theme, label, panels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["energy_curve", "loss_curves"]

_CLOCK = ("step", "seconds")
_PLAYERS = ("critic", "generator")
_WINDOWS = 40
_DECADES = 30.0
"""A positive quantity that varies by more than this factor is drawn on a logarithmic scale."""


def loss_curves(history: Sequence[Mapping[str, float]], *, theme: Theme = LIGHT) -> Figure:
    """Losses of the players by step; penalties and whatever else was logged in panels of their own.

    Each value is drawn thin, and bold the moving average over a fortieth of the rows, centred; fewer than forty values
    are drawn as they are, with dots.

    Parameters
    ----------
    history : sequence of mappings
        Rows of a run: ``step`` and one number for each thing that was logged; a row may lack some.
    theme : Theme
        Colours.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If no row holds a number beside its step.

    Examples
    --------
    >>> rows = [{"step": k, "critic": 1 / k, "generator": 2.0} for k in range(1, 9)]
    >>> [panel.get_title(loc="left") for panel in loss_curves(rows).axes]
    ['Losses']
    """
    names = list(dict.fromkeys(key for row in history for key in row if key not in _CLOCK))
    players = [name for name in _PLAYERS if name in names]
    others = [name for name in names if name not in _PLAYERS]
    if not names:
        raise DataError("history: expected rows with a step and at least one loss, got none")
    groups = ([players] if players else []) + [[name] for name in others]
    figure, axes = panels(len(groups), theme, size=(9.0 if len(groups) == 1 else 4.5, 2.8), columns=2)
    for panel, group in zip(axes, groups, strict=True):
        for name, colour in zip(group, theme.series, strict=False):
            _curve(panel, history, name, colour)
        if group != players and _spread(history, group[0]) > _DECADES:
            panel.set_yscale("log")
        title = "Losses" if group == players else _title(group[0])
        label(panel, theme, title=title, x="step")
        if len(group) > 1:
            panel.legend(frameon=False, fontsize=8.5, labelcolor=theme.ink, loc="best")
    return figure


def energy_curve(energies: Sequence[float], *, theme: Theme = LIGHT) -> Figure:
    """Mean energy of the chains after each step of a sampler that descends one.

    Parameters
    ----------
    energies : sequence of float
        One for each step, the first before any.
    theme : Theme
        Colours.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If there are none.

    Examples
    --------
    >>> len(energy_curve([2.0, 1.5, 1.4]).axes)
    1
    """
    if not energies:
        raise DataError("energies: expected at least one, got none")
    figure, (panel,) = panels(1, theme, size=(9.0, 2.6))
    panel.plot(range(len(energies)), energies, color=theme.series[2], linewidth=1.6)
    panel.xaxis.set_major_locator(require("matplotlib.ticker", extra="train").MaxNLocator(integer=True))
    label(panel, theme, title="Mean energy of the chains", x="Langevin step")
    return figure


def _title(name: str) -> str:
    """``gradient_penalty`` as Gradient penalty, ``fid`` as FID."""
    return name.upper() if len(name) <= 3 else name.replace("_", " ").capitalize()


def _curve(panel: Axes, history: Sequence[Mapping[str, float]], name: str, colour: str) -> None:
    """What was logged, thin, and its moving average, bold."""
    rows = [row for row in history if row.get(name) is not None]
    steps = np.array([row["step"] for row in rows], dtype=np.float64)
    values = np.array([row[name] for row in rows], dtype=np.float64)
    window = math.ceil(len(values) / _WINDOWS)
    if window > 1:
        panel.plot(steps, values, color=colour, linewidth=0.5, alpha=0.3)
    marker = "o" if len(values) < _WINDOWS else ""
    smooth = _moving_average(values, window)
    panel.plot(steps, smooth, color=colour, linewidth=1.6, marker=marker, markersize=3.5, label=name)


def _spread(history: Sequence[Mapping[str, float]], name: str) -> float:
    """How many times the largest value is the smallest, where all are positive; else 0."""
    values = [row[name] for row in history if row.get(name) is not None]
    return max(values) / min(values) if min(values) > 0 else 0.0


def _moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over `window` values, over fewer at both ends."""
    ones = np.ones(window)
    sums: NDArray[np.float64] = np.convolve(values, ones)
    counts = np.convolve(np.ones(len(values)), ones)
    start = (window - 1) // 2
    return (sums / counts)[start : start + len(values)]
