"""A folder of images that is decoded batch by batch, so that memory does not grow with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

import torch

from gancore.datasets._interface import Data
from gancore.datasets._pixels import parse_size
from gancore.datasets.images import common_size, decode, header, image_paths, readable

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from gancore.datasets._pixels import ImageSize

__all__ = ["ImageFolder"]


@final
class ImageFolder(Data):
    """The images below a folder, read by the same rules as :func:`gancore.datasets.load` reads them.

    Parameters
    ----------
    folder : path
        Where to look, recursively.
    image_size : int or (int, int), optional
        Crop about the centre and resize to this side, or (height, width); all must have one size if not given.
    skip_bad_images : bool
        Leave out what cannot be read, and list it in `skipped`.

    Raises
    ------
    DataError
        If there is no image, one cannot be read, or the sizes differ.
    """

    def __init__(self, folder: Path, *, image_size: ImageSize | None = None, skip_bad_images: bool = False) -> None:
        self.name = str(folder)
        self.kind = "image"
        self._folder = folder
        self._skipped: list[tuple[str, str]] | None = [] if skip_bad_images else None
        size = parse_size(image_size)
        headers = dict(readable(header, image_paths(folder), folder=folder, skipped=self._skipped))
        if headers and size is None:
            size = common_size(headers, setting="resize")
        self._paths = list(headers)
        self._size = size
        channels = 1 if headers and all(found.grey for found in headers.values()) else 3
        self.shape = (channels, *(size or (0, 0)))
        self.skipped = self._left_out()

    @property
    def labels(self) -> None:
        """None: metrics of samples do not look at labels."""
        return

    def __len__(self) -> int:
        """How many images there are, those included whose pixels may turn out to be unreadable."""
        return len(self._paths)

    def batch(self, indices: Tensor) -> Tensor:
        """Images at the given indices, those left out that cannot be decoded: float32 in [-1, 1]."""
        paths = [self._paths[index] for index in indices.tolist()]
        read = partial(decode, size=self._size, channels=self.shape[0])
        images = [image for _, image in readable(read, paths, folder=self._folder, skipped=self._skipped)]
        self.skipped = self._left_out()
        if not images:
            return torch.empty((0, *self.shape))
        return torch.stack(images).to(torch.float32).div_(127.5).sub_(1.0)

    def _left_out(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self._skipped or ()))
