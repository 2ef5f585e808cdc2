"""Data by the name, folder or file that a person writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gancore._extras import require
from gancore.errors import DataError, IncompatibleChoiceError, UnknownNameError

if TYPE_CHECKING:
    from gancore.datasets._interface import Data
    from gancore.datasets._pixels import ImageSize
    from gancore.datasets.idx import Split
    from gancore.text.vocabulary import Tokenizer, Vocabulary

__all__ = ["NAMES", "load"]

NAMES = ("cifar10", "digits", "fashion-mnist", "grid", "mnist", "ring", "stacked-mnist", "swiss-roll")
"""Data that is known by name; a folder of the same name is given as ``./name``."""


def load(
    spec: str | Path,
    *,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    split: Split = "train",
    skip_bad_images: bool = False,
    seed: int = 0,
    vocabulary: Vocabulary | Tokenizer = "words",
) -> Data:
    """Data by name, folder or file.

    Parameters
    ----------
    spec : str or path
        ``digits`` (embedded), ``mnist`` or ``fashion-mnist`` (IDX files in ``$GANCORE_DATA``), ``stacked-mnist`` (three
        of MNIST's as the channels of one), ``cifar10`` (its binary version in ``$GANCORE_DATA``), ``ring`` or ``grid``
        (Gaussians), ``swiss-roll``, a folder of IDX files, a folder of images, an .npy or .npz file, or a .txt file of
        one sequence of tokens a line.
    image_size : int or (int, int), optional
        Crop about the centre to this aspect and resize (Pillow's antialiased bicubic) to this side, or
        (height, width); 8-bit images only.
    channels : {1, 3}, optional
        Bring 8-bit images to grey or RGB.
    split : {"train", "test"}
        Which part, where the source has two: IDX folders, and text, of which every tenth line is for tests.
    skip_bad_images : bool
        Leave out images of a folder that cannot be read, and list them in the data's `skipped`.
    seed : int
        Seed of what is drawn rather than read: the points.
    vocabulary : Vocabulary, "words" or "characters"
        Of text: the words and their ids, or how to split lines into the words that make it.

    Returns
    -------
    Data
        Held in memory; images as uint8.

    Raises
    ------
    UnknownNameError
        If `spec` is neither a known name nor a path that exists; with the nearest names.
    DataError
        If a file or folder is absent, unreadable or not what its format promises; the message names it.
    IncompatibleChoiceError
        If a size, channels or a split is asked of data that has none.
    DomainError
        If a setting is out of range.

    Examples
    --------
    >>> data = load("digits")
    >>> data.kind, len(data), data.shape
    ('image', 1797, (1, 8, 8))
    """
    require("torch", extra="train")
    from gancore.datasets._numpy_file import ARRAY_SUFFIXES
    from gancore.datasets.arrays import arrays
    from gancore.datasets.digits import digits
    from gancore.datasets.gaussians import grid, ring
    from gancore.datasets.images import images
    from gancore.datasets.swiss_roll import swiss_roll

    path, name = Path(spec), str(spec)
    points = {"grid": grid, "ring": ring, "swiss-roll": swiss_roll}.get(name)
    if points is not None and (image_size, channels) != (None, None):
        raise IncompatibleChoiceError(f"image_size, channels: {name} holds points, not images")
    published = _published(name, image_size=image_size, channels=channels, split=split, seed=seed)
    if published is not None:
        return published
    if path.suffix == ".txt" and path.is_file():
        from gancore.datasets.text import text

        if (image_size, channels) != (None, None):
            raise IncompatibleChoiceError(f"image_size, channels: {name} holds text, not images")
        return text(path, vocabulary=vocabulary, split=split, name=name)
    if split != "train":
        raise IncompatibleChoiceError(
            f"split: {name} is not split; only published data sets and text have a {split!r} part"
        )
    if points is not None:
        return points(seed=seed)
    if name == "digits":
        return digits(image_size=image_size, channels=channels)
    if path.is_dir():
        return images(path, image_size=image_size, channels=channels, skip_bad_images=skip_bad_images, name=name)
    if path.suffix in ARRAY_SUFFIXES:
        return arrays(path, image_size=image_size, channels=channels, name=name)
    if path.exists():
        raise DataError(f"{path}: expected a folder, or a file named {', '.join(ARRAY_SUFFIXES)} or .txt")
    if path.suffix or len(path.parts) > 1:
        raise DataError(f"{path}: no such file or folder")
    raise UnknownNameError("data", name, NAMES)


def _published(
    name: str, *, image_size: ImageSize | None, channels: int | None, split: Split, seed: int
) -> Data | None:
    """Data that come in the files of their publication, with a part to train on and one to test on; None for others."""
    from gancore.datasets.cifar10 import cifar10, named_cifar10
    from gancore.datasets.idx import idx, is_idx_folder, named_folder
    from gancore.datasets.stacked import stacked

    path = Path(name)
    if name == "cifar10":
        return cifar10(named_cifar10(), split=split, image_size=image_size, channels=channels, name=name)
    if name == "stacked-mnist":
        if channels is not None:
            raise IncompatibleChoiceError("channels: stacked-mnist has three, one for each digit")
        base = idx(named_folder("mnist"), split=split, image_size=image_size, name="mnist")
        return stacked(base, seed=seed, name=name)
    if name in ("mnist", "fashion-mnist"):
        return idx(named_folder(name), split=split, image_size=image_size, channels=channels, name=name)
    if name not in NAMES and path.is_dir() and is_idx_folder(path):
        return idx(path, split=split, image_size=image_size, channels=channels, name=name)
    return None
