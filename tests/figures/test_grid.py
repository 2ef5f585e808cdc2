from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gancore.datasets import load
from gancore.errors import DomainError, ShapeError
from gancore.figures import image_grid, save_grid, sheet, to_pixels

if TYPE_CHECKING:
    from pathlib import Path


def ramp(n: int, c: int, h: int, w: int) -> torch.Tensor:
    return torch.linspace(-1, 1, n * c * h * w).reshape(n, c, h, w)


@given(st.integers(0, 255))
def test_bytes_come_back_as_they_were(value: int) -> None:
    images = torch.full((1, 1, 2, 2), value / 127.5 - 1)
    assert (to_pixels(images) == value).all()


def test_values_beyond_the_range_are_clipped_and_channels_come_last() -> None:
    images = np.stack([np.full((2, 3), v) for v in (-2.0, 0.2, 7.0)])[None]
    pixels = to_pixels(images)
    assert pixels.shape == (1, 2, 3, 3)
    assert pixels[0, 1, 2].tolist() == [0, 153, 255]


@given(
    n=st.integers(1, 12),
    c=st.sampled_from((1, 3)),
    side=st.integers(1, 70),
    columns=st.none() | st.integers(1, 15),
    gap=st.integers(0, 5),
)
def test_every_pixel_is_where_it_belongs(n: int, c: int, side: int, columns: int | None, gap: int) -> None:
    images = ramp(n, c, side, side)
    canvas = np.asarray(image_grid(images, columns=columns, gap=gap))
    across = min(columns or math.ceil(math.sqrt(n)), n)
    tile = (canvas.shape[1] + gap) // across - gap
    assert tile % side == 0
    assert tile >= 56 or tile == side
    assert canvas.shape == (math.ceil(n / across) * (tile + gap) - gap, across * (tile + gap) - gap, 4)
    expected = to_pixels(images)
    for k in range(n):
        top, left = (k // across) * (tile + gap), (k % across) * (tile + gap)
        step = tile // side
        for row, column in ((0, 0), (side // 2, side // 3), (side - 1, side - 1)):
            block = canvas[top + row * step : top + (row + 1) * step, left + column * step : left + (column + 1) * step]
            assert (block[..., :3] == expected[k, row, column]).all()
            assert (block[..., 3] == 255).all()
    assert (canvas[..., 3] == 0).sum() == canvas[..., 3].size - n * tile * tile


def test_digits_read_back_from_the_file(tmp_path: Path) -> None:
    x = load("digits").batch(torch.arange(6))
    path = save_grid(x, tmp_path / "grid.png", columns=3, gap=0)
    with Image.open(path) as picture:
        levels = np.asarray(picture.convert("L"))[3::7, 3::7]
    again = torch.from_numpy(levels.astype(np.float32)).reshape(2, 8, 3, 8).permute(0, 2, 1, 3).reshape(6, 1, 8, 8)
    assert (again / 127.5 - 1 - x).abs().max() <= 0.5 / 127.5 + 1e-6


def test_a_sheet_holds_each_grid_under_its_title() -> None:
    one, two = ramp(4, 1, 8, 8), -ramp(4, 1, 8, 8)
    canvas = np.asarray(sheet({"real": one, "plain": two}))
    for images, right in ((one, False), (two, True)):
        grid = np.asarray(image_grid(images))
        below = canvas[-grid.shape[0] :]
        assert (below[:, -grid.shape[1] :] == grid if right else below[:, : grid.shape[1]] == grid).all()
    title = canvas[: canvas.shape[0] - grid.shape[0]]
    assert title[:, : grid.shape[1], 3].any()
    assert title[:, -grid.shape[1] :, 3].any()


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((4, 2, 8, 8)), ShapeError, "1 or 3"),
        (np.zeros((1, 8, 8)), ShapeError, "shape"),
        (np.zeros((0, 1, 8, 8)), ShapeError, "shape"),
        (np.full((1, 1, 2, 2), np.nan), DomainError, "finite"),
    ],
)
def test_what_is_no_image_is_refused(images: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        image_grid(images)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(DomainError, match="columns"):
        image_grid(np.zeros((1, 1, 2, 2)), columns=0)
    with pytest.raises(ShapeError, match="sources"):
        sheet({})
