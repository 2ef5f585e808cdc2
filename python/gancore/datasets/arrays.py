"""Arrays in files: .npy and .npz, never pickled objects.

An .npz holds its samples under ``images``, ``x`` or ``arr_0``, or as the only array besides the labels, and
its labels, if any, under ``labels`` or ``y``. What an array's element type and shape mean is the rule of
:func:`~gancore.datasets.as_data`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gancore.datasets._numpy_file import LABEL_KEYS, read_arrays, samples_key
from gancore.datasets._pixels import parse_channels, parse_size
from gancore.datasets._tensors import from_array

if TYPE_CHECKING:
    from gancore.datasets._memory import InMemory
    from gancore.datasets._pixels import ImageSize

__all__ = ["arrays"]


def arrays(
    path: str | Path,
    *,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    name: str | None = None,
) -> InMemory:
    """Images or points of an .npy or .npz file.

    Parameters
    ----------
    path : path
        The file.
    image_size : int or (int, int), optional
        Resize uint8 images to this side, or (height, width).
    channels : {1, 3}, optional
        Bring uint8 images to grey or RGB.
    name : str, optional
        What to call the data; the path if not given.

    Returns
    -------
    Data
        Images in [-1, 1] or points as they are.

    Raises
    ------
    DataError
        If the file is absent, broken, pickled, or holds no array that is clearly the samples.
    ShapeError, DTypeError, DomainError
        If its array is neither images nor points; the message names the file and the array.
    IncompatibleChoiceError
        If a size or a number of channels is asked of anything but uint8 images.
    """
    size, channels = parse_size(image_size), parse_channels(channels)
    path = Path(path)
    members = read_arrays(path)
    key = samples_key(members, path)
    label_key = next((k for k in LABEL_KEYS if k in members and k != key), None)
    return from_array(
        members[key],
        labels=None if label_key is None else members[label_key],
        name=name or str(path),
        where=str(path) if path.suffix == ".npy" else f"{path}[{key}]",
    ).fitted(size, channels)
