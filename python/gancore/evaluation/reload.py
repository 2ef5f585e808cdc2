"""The data of a run, read again from what the run remembers of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gancore.datasets import NAMES, load
from gancore.errors import DataError, IncompatibleChoiceError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    from gancore.datasets import Data
    from gancore.datasets.idx import Split
    from gancore.text.vocabulary import Vocabulary
    from gancore.training import Run

__all__ = ["calibration_data", "reload_data"]


def reload_data(
    name: str,
    *,
    shape: tuple[int, ...],
    split: Split = "train",
    skip_bad_images: bool = False,
    vocabulary: Vocabulary | None = None,
) -> Data:
    """Data by the name that a run recorded, in the shape that it was trained on.

    Parameters
    ----------
    name : str
        A known name or a path, as :func:`gancore.datasets.load` takes it.
    shape : tuple of int
        Shape of one sample; images are cropped and resized to it as they were for training.
    split : {"train", "test"}
        Which part, where the source has two.
    skip_bad_images : bool
        Leave out unreadable images of a folder.
    vocabulary : Vocabulary, optional
        The words of text.

    Returns
    -------
    Data

    Raises
    ------
    DataError
        If the data are neither known by name nor where they were.
    ShapeError
        If they cannot be brought to that shape.
    IncompatibleChoiceError
        If there is no test part.

    Examples
    --------
    >>> reload_data("digits", shape=(1, 8, 8)).shape, reload_data("digits", shape=(3, 16, 16)).shape
    ((1, 8, 8), (3, 16, 16))
    """
    images = len(shape) == 3
    try:
        # A folder's images may have many sizes, or be far larger than what was trained on: never read as they are.
        fit = images and name not in NAMES and Path(name).is_dir()
        data = None if fit else load(name, split=split, vocabulary=vocabulary or "words")
        if data is None or (images and data.kind == "image" and data.shape != shape):
            size = (shape[1], shape[2])
            data = load(name, image_size=size, channels=shape[0], split=split, skip_bad_images=skip_bad_images)
    except UnknownNameError:
        raise DataError(f"data: {name!r}, which the run was trained on, is no known name or path; give it") from None
    if data.shape != shape:
        raise ShapeError(f"data: {name} has samples of shape {data.shape}, the run was trained on {shape}")
    return data


def calibration_data(run: Run, at_hand: Data | None = None) -> tuple[Data, bool]:
    """What a critic should be calibrated on: the test part of its data, or, without one, what is at hand.

    Parameters
    ----------
    run : Run
        Whose critic.
    at_hand : Data, optional
        Real samples; those that the critic was trained on, if not given.

    Returns
    -------
    (Data, bool)
        The data, and whether they are a test part.

    Raises
    ------
    DataError, ShapeError
        If none can be found.
    """
    try:
        return reload_data(run.data_name, shape=run.shape, split="test", vocabulary=run.vocabulary), True
    except (IncompatibleChoiceError, DataError):
        return (reload_data(run.data_name, shape=run.shape) if at_hand is None else at_hand), False
