"""Nearest neighbours and counts in balls in torch: distances of differences in float64, in blocks, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

__all__ = ["ball_counts", "knn_distances"]

_ELEMENTS = 1 << 24


def knn_distances(x: Tensor, *, k: int) -> Tensor:
    """Distances of each row to its k nearest others, ascending."""
    x = _rows("x", x, least=2)
    if k >= len(x):
        raise DomainError(f"`k` must be from 1 to {len(x) - 1}, one less than the rows; got {k}")
    out = []
    for start, distances in _distances(x, x):
        own = torch.arange(len(distances), device=x.device)
        distances[own, start + own] = torch.inf
        out.append(distances.topk(k, largest=False, sorted=True).values)
    return torch.cat(out)


def ball_counts(
    x: Tensor, y: Tensor, *, x_radii: npt.NDArray[np.float64], y_radii: npt.NDArray[np.float64]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Counts in closed balls, family after family."""
    x, y = _rows("x", x, least=1), _rows("y", y, least=1)
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"`y` must have shape (m, {x.shape[1]}); got {tuple(y.shape)}")
    around_x, around_y = (torch.from_numpy(radii).to(x.device) for radii in (x_radii, y_radii))
    for name, radii in (("x_radii", around_x), ("y_radii", around_y)):
        if radii.isnan().any():
            raise DomainError(f"`{name}` must not be nan; got nan")

    def zeros(families: Tensor, rows: Tensor) -> Tensor:
        return torch.zeros(len(families), len(rows), dtype=torch.int64, device=x.device)

    x_holds, y_held = zeros(around_x, x), zeros(around_x, y)
    y_holds, x_held = zeros(around_y, y), zeros(around_y, x)
    for start, distances in _distances(x, y):
        span = slice(start, start + len(distances))
        in_x = distances[None] <= around_x[:, span, None]
        in_y = distances[None] <= around_y[:, None, :]
        x_holds[:, span] += in_x.sum(2)
        y_held += in_x.sum(1)
        y_holds += in_y.sum(1)
        x_held[:, span] += in_y.sum(2)
    return x_holds.flatten(), y_held.flatten(), y_holds.flatten(), x_held.flatten()


def _distances(x: Tensor, y: Tensor) -> Iterator[tuple[int, Tensor]]:
    height = max(_ELEMENTS // y.numel(), 1)
    for start in range(0, len(x), height):
        yield start, (x[start : start + height, None] - y[None]).square().sum(2).sqrt()


def _rows(name: str, rows: Tensor, *, least: int) -> Tensor:
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ShapeError(f"`{name}` must have shape (n, d); got {tuple(rows.shape)}")
    if len(rows) < least:
        raise ShapeError(f"`{name}` must have at least {least} rows; got {len(rows)}")
    wrong = ~rows.isfinite()
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        raise DomainError(f"`{name}` must be finite; got {rows[row, column].item()} in row {row}, column {column}")
    return rows.double()
