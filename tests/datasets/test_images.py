from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from gancore.datasets import load
from gancore.datasets.images import images
from gancore.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)


def picture(height: int = 6, width: int = 9, channels: int = 3) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, **options: object) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def batch(data, *rows: int) -> np.ndarray:
    return data.batch(torch.tensor(rows)).numpy()


def scaled(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 127.5 - 1


def test_reads_recursively_in_path_order(tmp_path: Path) -> None:
    last = save(tmp_path / "b" / "0.png", picture())
    first = save(tmp_path / "a" / "deep" / "z.PNG", picture())
    second = save(tmp_path / "a.png", picture())
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    (tmp_path / "a" / "._z.png").write_bytes(b"a resource fork")
    data = load(tmp_path)
    assert (len(data), data.shape, data.labels) == (3, (3, 6, 9), None)
    expected = np.stack([first, second, last]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(batch(data, 0, 1, 2), scaled(expected))


def test_subfolders_are_labels_if_every_image_lies_in_one(tmp_path: Path) -> None:
    for name in ("zebra/1.png", "ant/1.png", "ant/x/2.png"):
        save(tmp_path / name, picture(channels=1))
    data = load(tmp_path)
    assert data.label_names == ("ant", "zebra")
    assert data.labels.tolist() == [0, 0, 1]
    assert data.labels.dtype == torch.int64


def test_grey_files_stay_grey_and_one_coloured_file_makes_all_rgb(tmp_path: Path) -> None:
    grey = save(tmp_path / "a.png", picture(channels=1))
    assert load(tmp_path).shape == (1, 6, 9)
    save(tmp_path / "b.png", picture())
    data = load(tmp_path)
    assert data.shape == (3, 6, 9)
    np.testing.assert_array_equal(batch(data, 0)[0], np.broadcast_to(scaled(grey), (3, 6, 9)))
    assert images(tmp_path, channels=1).shape == (1, 6, 9)


def test_palette_images_are_their_colours(tmp_path: Path) -> None:
    flat = np.zeros((4, 4, 3), dtype=np.uint8)
    flat[:2] = (200, 10, 60)
    Image.fromarray(flat).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
    np.testing.assert_array_equal(batch(load(tmp_path), 0)[0], scaled(flat.transpose(2, 0, 1)))


def test_transparency_is_dropped(tmp_path: Path) -> None:
    colours = picture(4, 4)
    alpha = RNG.integers(0, 256, (4, 4, 1), dtype=np.uint8)
    save(tmp_path / "a.png", np.concatenate((colours, alpha), axis=2))
    Image.fromarray(colours).quantize(16).save(tmp_path / "b.png", transparency=bytes(range(0, 256, 16)))
    data = load(tmp_path)
    np.testing.assert_array_equal(batch(data, 0)[0], scaled(colours.transpose(2, 0, 1)))
    np.testing.assert_array_equal(batch(data, 1)[0], scaled(colours.transpose(2, 0, 1)))


def test_different_sizes_need_image_size(tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture(6, 9))
    save(tmp_path / "b.png", picture(9, 6))
    with pytest.raises(DataError, match=r"b\.png: is 6x9 pixels, a\.png is 9x6.*image_size"):
        load(tmp_path)
    assert load(tmp_path, image_size=4).shape == (3, 4, 4)


def test_resize_crops_the_centre_and_is_antialiased(tmp_path: Path) -> None:
    pixels = save(tmp_path / "a.png", picture(40, 60))
    square = Image.fromarray(pixels).resize((8, 8), Image.Resampling.BICUBIC, box=(10, 0, 50, 40))
    got = batch(load(tmp_path, image_size=8), 0)[0]
    np.testing.assert_array_equal(got, scaled(np.asarray(square)).transpose(2, 0, 1))
    # A filter without antialiasing would keep the noise's spread; averaging 5x5 blocks cannot.
    assert got.std() < 0.5 * scaled(pixels).std()


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.zeros((8, 16), dtype=np.uint8)
    upright[:, 8:] = 255
    save(tmp_path / "a.png", upright, exif=exif)
    data = load(tmp_path)
    assert data.shape == (1, 16, 8)
    np.testing.assert_array_equal(batch(data, 0)[0, 0], scaled(np.rot90(upright, -1)))


def broken_files(folder: Path) -> dict[str, str]:
    """File names and what must be said of each."""
    save(folder / "good.png", picture())
    whole = (folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpeg").write_text("<html>404</html>")
    save(folder / "deep.png", np.full((6, 9), 40_000, dtype=np.uint16))
    save(folder / "sub" / "ok.webp", picture(), lossless=True)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    (folder / "flipped.png").write_bytes(bytes(flipped))
    return {
        "cut.png": "",
        "empty.jpg": "",
        "text.jpeg": "",
        "deep.png": "mode I;16 is not 8 bits",
        "flipped.png": "",
    }


def test_an_unreadable_image_stops_and_is_named(tmp_path: Path) -> None:
    broken = broken_files(tmp_path)
    while broken:
        with pytest.raises(DataError, match=r"unreadable image: .*skip bad images") as caught:
            load(tmp_path)
        name = str(caught.value).removeprefix(f"{tmp_path}/").partition(":")[0]
        assert broken.pop(name) in str(caught.value)
        (tmp_path / name).unlink()
    assert len(load(tmp_path)) == 2


def test_skipping_counts_and_lists_what_was_left_out(tmp_path: Path) -> None:
    broken = broken_files(tmp_path)
    data = load(tmp_path, skip_bad_images=True)
    assert len(data) == 2
    assert [name for name, _ in data.skipped] == sorted(broken)
    assert all(broken[name] in reason for name, reason in data.skipped)
    np.testing.assert_array_equal(
        batch(data, 1)[0], scaled(np.asarray(Image.open(tmp_path / "sub" / "ok.webp"))).transpose(2, 0, 1)
    )


@pytest.mark.parametrize("skip", [False, True])
def test_nothing_to_read(tmp_path: Path, skip: bool) -> None:
    with pytest.raises(DataError, match="no images"):
        load(tmp_path, skip_bad_images=skip)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="unreadable image"):
        load(tmp_path, skip_bad_images=skip)


# Pillow warns of damage that it can read around.
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.*", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp", "tif", "ppm"])
def test_no_damage_escapes_as_another_error(tmp_path: Path, suffix: str) -> None:
    """Cut or flipped anywhere, a file is read or refused, never a crash."""
    path = tmp_path / f"a.{suffix}"
    save(path, picture(16, 16))
    whole = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(whole[: RNG.integers(1, len(whole) + 1)])
        for position in RNG.integers(0, len(damaged), 3):
            damaged[position] ^= int(RNG.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            outcome = str(images(tmp_path).name)
        except DataError as error:
            outcome = str(error)
        assert str(tmp_path) in outcome


def test_real_photographs(data_root: Path) -> None:
    data = load(data_root / "facades" / "val", image_size=(16, 32))
    assert (len(data), data.shape) == (100, (3, 16, 32))
    assert load(data_root / "facades", image_size=8).label_names == ("train", "val")
