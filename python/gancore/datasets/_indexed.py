"""A torch dataset read item by item, as batches are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from gancore.datasets._interface import Data
from gancore.datasets._tensors import check_floats
from gancore.errors import DataError, DTypeError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Indexed"]


@final
class Indexed(Data):
    """A dataset with a length and integer indices, whose items are x or (x, y, ...).

    Parameters
    ----------
    dataset : torch Dataset
        x is a uint8 or float image (c, h, w) or (h, w), or a float point (d,); y, if there, an integer.
    name : str
        What to call the data.

    Raises
    ------
    DataError
        If the dataset is empty.
    DTypeError, ShapeError, DomainError
        If its first item is neither an image nor a point; later items are checked as they are read.
    """

    def __init__(self, dataset: Any, *, name: str) -> None:
        if len(dataset) == 0:
            raise DataError(f"{name}: the dataset is empty")
        self.name = name
        self._dataset = dataset
        self._labels: Tensor | None = None
        self.shape = ()
        first = self._sample(0)
        self.shape = tuple(first.shape)
        self.kind = "points" if first.ndim == 1 else "image"
        self._labelled = _label(dataset[0]) is not None
        check_floats(first[None], where=f"{name}[0]")

    @property
    def labels(self) -> Tensor | None:
        """Labels: int64 of shape (n,), or None; the first call reads every item once."""
        if self._labelled and self._labels is None:
            labels = [_label(self._dataset[index]) for index in range(len(self))]
            missing = next((index for index, label in enumerate(labels) if label is None), None)
            if missing is not None:
                raise DTypeError(f"{self.name}[{missing}]: expected an integer label, as in the first item")
            self._labels = torch.tensor(labels, dtype=torch.int64)
        return self._labels

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._dataset)

    def batch(self, indices: Tensor) -> Tensor:
        """Samples at the given indices: float32, shape (len(indices), *shape)."""
        rows = indices.tolist()
        samples = torch.stack([self._sample(row) for row in rows])
        check_floats(samples, where=f"{self.name}{rows}" if len(rows) == 1 else f"{self.name}, a batch")
        return samples

    def _sample(self, index: int) -> Tensor:
        item = self._dataset[index]
        x = item[0] if isinstance(item, tuple | list) else item
        if isinstance(x, np.ndarray):
            x = torch.from_numpy(np.ascontiguousarray(x))
        if not isinstance(x, torch.Tensor):
            raise DTypeError(
                f"{self.name}[{index}]: expected a tensor or array (or a tuple that begins with one), got "
                f"{type(x).__name__}; let the dataset's transform make tensors"
            )
        if x.dtype == torch.uint8 and x.ndim > 1:
            x = x.to(torch.float32).div_(127.5).sub_(1.0)
        if not x.is_floating_point():
            raise DTypeError(f"{self.name}[{index}]: expected a uint8 image or floating-point values, got {x.dtype}")
        x = x.detach().to(torch.float32)
        x = x[None] if x.ndim == 2 else x
        if x.ndim not in (1, 3) or tuple(x.shape) != (self.shape or tuple(x.shape)):
            expected = self.shape or "an image (c, h, w) or (h, w), or a point (d,)"
            raise ShapeError(f"{self.name}[{index}]: expected {expected}, got shape {tuple(x.shape)}")
        return x


def _label(item: object) -> int | None:
    """The integer y of an item (x, y, ...), if it has one."""
    if not isinstance(item, tuple | list) or len(item) < 2:
        return None
    y = item[1]
    if isinstance(y, torch.Tensor | np.ndarray | np.generic) and y.ndim == 0:
        y = y.item()
    return y if isinstance(y, int) and not isinstance(y, bool) else None
