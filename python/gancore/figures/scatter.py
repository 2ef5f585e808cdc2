"""Points in the plane, one panel a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.errors import ShapeError
from gancore.figures.style import LIGHT, Theme, label, panels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["scatter"]

_MOST = 5000
"""Points drawn in a panel: more only hide one another."""


def scatter(
    points: Mapping[str, Any], *, centers: Any = None, columns: int | None = None, theme: Theme = LIGHT
) -> Figure:
    """First two coordinates of points, one panel for each source, all on the axes of the first.

    Parameters
    ----------
    points : mapping of str to Tensor or ndarray of shape (n, d), d >= 2
        The points under their title; of more than 5000 the first are drawn.
    centers : Tensor or ndarray of shape (k, d), optional
        The modes, marked in every panel.
    columns : int, optional
        Panels in a row; all of them if not given.
    theme : Theme
        Colours.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If there are no sources, or one is not points of at least two coordinates.

    Examples
    --------
    >>> figure = scatter({"real": np.zeros((5, 2)), "plain": np.ones((5, 2))})
    >>> len(figure.axes)
    2
    """
    clouds = {title: _plane(title, cloud) for title, cloud in points.items()}
    if not clouds:
        raise ShapeError("points: expected at least one source, got none")
    marks = None if centers is None else _plane("centers", centers)
    first = next(iter(clouds.values()))
    low, high = first.min(axis=0), first.max(axis=0)
    margin = 0.12 * max(float((high - low).max()), 1e-6)
    figure, axes = panels(len(clouds), theme, size=(3.1, 3.25), columns=columns)
    for index, (panel, (title, cloud)) in enumerate(zip(axes, clouds.items(), strict=True)):
        colour = theme.series[0 if index == 0 else 1]
        panel.scatter(cloud[:_MOST, 0], cloud[:_MOST, 1], s=2.5, color=colour, alpha=0.35, linewidths=0)
        if marks is not None:
            panel.scatter(marks[:, 0], marks[:, 1], s=26, marker="+", color=theme.ink, linewidths=0.8)
        panel.set_xlim(low[0] - margin, high[0] + margin)
        panel.set_ylim(low[1] - margin, high[1] + margin)
        panel.set_aspect("equal")
        label(panel, theme, title=title)
    return figure


def _plane(name: str, points: Any) -> NDArray[np.float64]:
    values = np.asarray(points.detach().float().cpu() if hasattr(points, "detach") else points, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise ShapeError(f"{name}: expected points of shape (n, at least 2), got {values.shape}")
    return values[:, :2]
