"""Folders of image files: every image below the folder, in the order of their paths."""

from __future__ import annotations

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from gancore._extras import require
from gancore.datasets._memory import InMemory
from gancore.datasets._pixels import fit_image, parse_channels, parse_size
from gancore.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gancore.datasets._pixels import ImageSize

__all__ = ["IMAGE_SUFFIXES", "common_size", "decode", "header", "image_paths", "images", "readable"]

IMAGE_SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"))
"""What counts as an image, by the file's suffix in lower case; other files and dot files are passed over."""

_GREY = frozenset(("1", "L", "LA", "La"))
_COLOUR = frozenset(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"))
_READ_AHEAD = 64

_T = TypeVar("_T")


@dataclass(frozen=True)
class Header:
    """What a file says of its image before it is decoded: (height, width) as seen, and whether it is grey."""

    size: tuple[int, int]
    grey: bool


def images(
    folder: str | Path,
    *,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    skip_bad_images: bool = False,
    name: str | None = None,
) -> InMemory:
    """All images below a folder, decoded once and kept as uint8.

    With `image_size`, each image is cropped about its centre to the wanted aspect and resized by Pillow's
    bicubic filter, which is antialiased. Without it, all must have one size. Transparency is dropped; the
    orientation that a camera recorded (EXIF) is applied. If every image lies in a subfolder, the names of the
    first-level subfolders, sorted, are the labels.

    Parameters
    ----------
    folder : path
        Where to look, recursively.
    image_size : int or (int, int), optional
        Side of a square, or (height, width).
    channels : {1, 3}, optional
        Grey or RGB; grey if every file is grey, else RGB, if not given.
    skip_bad_images : bool
        Leave out what cannot be read, and list it with the reason in the data's `skipped`.
    name : str, optional
        What to call the data; the folder if not given.

    Returns
    -------
    Data
        Images of shape (c, h, w) in [-1, 1]; c h w bytes of memory each.

    Raises
    ------
    DataError
        If there is no image, one cannot be read (the message names it), or the sizes differ.
    DomainError
        If a size or a number of channels cannot be had.
    MissingExtraError
        If Pillow is not installed.
    """
    require("PIL", extra="train")
    size, channels = parse_size(image_size), parse_channels(channels)
    folder = Path(folder)
    paths = image_paths(folder)
    skipped: list[tuple[str, str]] = []
    each = partial(readable, folder=folder, skipped=skipped if skip_bad_images else None)
    headers = dict(each(header, paths))
    if headers and size is None:
        size = common_size(headers)
    if channels is None:
        channels = 1 if all(found.grey for found in headers.values()) else 3
    pixels = torch.empty((len(headers), channels, *(size or (0, 0))), dtype=torch.uint8)
    good: list[Path] = []
    for path, image in each(partial(decode, size=size, channels=channels), list(headers)):
        pixels[len(good)] = image
        good.append(path)
    if not good:
        raise DataError(f"{folder}: none of its {len(paths)} images can be read; {': '.join(skipped[0])}")
    label_names, labels = _labels(folder, good)
    return InMemory(
        pixels[: len(good)],
        name=name or str(folder),
        labels=labels,
        label_names=label_names,
        skipped=tuple(sorted(skipped)),
    )


def image_paths(folder: Path) -> list[Path]:
    """All image files below a folder, in the order of their paths; DataError if there are none."""
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of images, got {'a file' if folder.exists() else 'nothing'}")
    found = (Path(base, file) for base, _, files in os.walk(folder) for file in files)
    paths = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")]
    if not paths:
        raise DataError(f"{folder}: no images in this folder or below; looked for {' '.join(sorted(IMAGE_SUFFIXES))}")
    return sorted(paths, key=lambda path: path.relative_to(folder).parts)


def readable(
    read: Callable[[Path], _T], paths: list[Path], *, folder: Path, skipped: list[tuple[str, str]] | None
) -> Iterator[tuple[Path, _T]]:
    """What can be read, in order; what cannot goes to the list of the skipped, or stops if there is none."""
    attempt = partial(_attempt, read)
    with ThreadPoolExecutor() as pool:  # decoders release the GIL
        for start in range(0, len(paths), _READ_AHEAD):
            stretch = paths[start : start + _READ_AHEAD]
            for path, outcome in zip(stretch, pool.map(attempt, stretch), strict=True):
                if not isinstance(outcome, str):
                    yield path, outcome
                elif skipped is None:
                    raise DataError(f"{path}: {outcome}; repair or remove it, or skip bad images")
                else:
                    skipped.append((path.relative_to(folder).as_posix(), outcome))


def _attempt(read: Callable[[Path], _T], path: Path) -> _T | str:
    """What was read, or the reason why it cannot be."""
    pil = require("PIL.Image", extra="train")
    # What Pillow's decoders are known to raise on broken files.
    broken = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)
    try:
        return read(path)
    except (*broken, struct.error, zlib.error, pil.DecompressionBombError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"unreadable image: {reason.replace(repr(str(path)), 'the file')}"


def _open(path: Path) -> Any:
    image = require("PIL.Image", extra="train").open(path)
    if image.mode not in _GREY | _COLOUR:
        # Pillow would clip 16 and 32 bits to 8 without a word.
        image.close()
        raise ValueError(f"mode {image.mode} is not 8 bits a channel; convert it")
    return image


def header(path: Path) -> Header:
    """The header of an image file."""
    with _open(path) as image:
        turned = image.getexif().get(0x0112, 1) >= 5
        width, height = image.size
        return Header((width, height) if turned else (height, width), image.mode in _GREY)


def decode(path: Path, *, size: tuple[int, int] | None, channels: int) -> torch.Tensor:
    """An image file as uint8 (c, h, w), upright, cropped and resized to a size (h, w)."""
    with _open(path) as image:
        upright = require("PIL.ImageOps", extra="train").exif_transpose(image)
        return torch.from_numpy(fit_image(upright, size, channels).copy())


def common_size(headers: dict[Path, Header], *, setting: str = "image_size") -> tuple[int, int]:
    """The one size (h, w) of all images; DataError, naming two and the setting that would help, if they differ."""
    first, *others = headers
    for path in others:
        if headers[path].size != headers[first].size:
            (h0, w0), (h1, w1) = headers[first].size, headers[path].size
            raise DataError(
                f"{path}: is {w1}x{h1} pixels, {first.name} is {w0}x{h0}; give {setting} to bring all to one"
            )
    return headers[first].size


def _labels(folder: Path, paths: Iterable[Path]) -> tuple[tuple[str, ...], torch.Tensor | None]:
    parts = [path.relative_to(folder).parts for path in paths]
    if any(len(part) == 1 for part in parts):
        return (), None
    names = sorted({part[0] for part in parts})
    index = {name: label for label, name in enumerate(names)}
    return tuple(names), torch.tensor([index[part[0]] for part in parts])
