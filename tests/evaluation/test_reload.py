from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

import gancore
from gancore.datasets import load
from gancore.errors import DataError, ShapeError
from gancore.evaluation.reload import calibration_data, reload_data

if TYPE_CHECKING:
    from pathlib import Path


def everything(data: object) -> torch.Tensor:
    return data.batch(torch.arange(len(data)))


@pytest.mark.parametrize("settings", [{}, {"image_size": 16}, {"channels": 3}, {"image_size": (12, 8)}])
def test_digits_come_back_bit_for_bit(settings: dict[str, object]) -> None:
    trained_on = load("digits", **settings)
    again = reload_data(trained_on.name, shape=trained_on.shape)
    assert torch.equal(everything(again), everything(trained_on))


def test_a_folder_of_many_sizes_comes_back_in_the_size_of_the_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for k, side in enumerate((20, 31)):
        Image.fromarray(rng.integers(0, 256, (side, side + 4, 3), dtype=np.uint8)).save(tmp_path / f"{k}.png")
    trained_on = load(tmp_path, image_size=16)
    again = reload_data(str(tmp_path), shape=(3, 16, 16))
    assert torch.equal(everything(again), everything(trained_on))
    (tmp_path / "2.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2\.png"):
        reload_data(str(tmp_path), shape=(3, 16, 16))
    assert len(reload_data(str(tmp_path), shape=(3, 16, 16), skip_bad_images=True)) == 2


def test_points_and_float_arrays_come_back(tmp_path: Path) -> None:
    assert torch.equal(everything(reload_data("ring", shape=(2,))), everything(load("ring")))
    path = tmp_path / "images.npy"
    np.save(path, np.linspace(-1, 1, 2 * 64, dtype=np.float32).reshape(2, 1, 8, 8))
    assert reload_data(str(path), shape=(1, 8, 8)).shape == (1, 8, 8)


def test_what_cannot_be_found_again_is_named() -> None:
    with pytest.raises(DataError, match="'tensor', which the run was trained on"):
        reload_data("tensor", shape=(1, 8, 8))
    with pytest.raises(ShapeError, match=r"ring has samples of shape \(2,\)"):
        reload_data("ring", shape=(3,))


def write_idx(folder: Path, prefix: str, images: np.ndarray) -> None:
    header = struct.pack(">4B3i", 0, 0, 8, 3, *images.shape)
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())


def test_a_critic_is_calibrated_on_what_it_has_not_seen_if_that_is_to_be_had(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_idx(tmp_path, "train", rng.integers(0, 256, (70, 8, 8), dtype=np.uint8))
    run = gancore.train("gan", load(tmp_path), steps=1, progress=False)
    data, held_out = calibration_data(run)
    assert not held_out
    assert torch.equal(everything(data), everything(load(tmp_path)))
    write_idx(tmp_path, "t10k", rng.integers(0, 256, (30, 8, 8), dtype=np.uint8))
    data, held_out = calibration_data(run)
    assert held_out
    assert torch.equal(everything(data), everything(load(tmp_path, split="test")))
