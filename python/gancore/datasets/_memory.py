"""Samples held in memory as one tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from gancore.datasets._interface import Data
from gancore.datasets._pixels import fit_stack
from gancore.errors import IncompatibleChoiceError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["InMemory"]


@final
class InMemory(Data):
    """One tensor of samples: uint8 stays uint8 (a quarter of the memory) and is converted batch by batch.

    Parameters
    ----------
    values : Tensor of shape (n, c, h, w) or (n, d)
        Checked samples: uint8 images, float32 images in [-1, 1], or float32 points.
    name : str
        What the user asked for.
    labels : Tensor of int64, shape (n,), optional
        Class of each sample.
    white : int
        The uint8 value that becomes +1; 0 becomes -1.
    label_names : tuple of str
        Names of the labels.
    skipped : tuple of (str, str)
        File and reason of what was left out.
    """

    def __init__(
        self,
        values: Tensor,
        *,
        name: str,
        labels: Tensor | None = None,
        white: int = 255,
        label_names: tuple[str, ...] = (),
        skipped: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.name = name
        self.kind = "points" if values.ndim == 2 else "image"
        self.shape = tuple(values.shape[1:])
        self.label_names = label_names
        self.skipped = skipped
        self._values = values
        self._labels = labels
        self._half = white / 2

    @property
    def labels(self) -> Tensor | None:
        """Labels: int64 of shape (n,), or None."""
        return self._labels

    def fitted(self, size: tuple[int, int] | None, channels: int | None) -> InMemory:
        """The same images brought to a size (h, w) and a number of channels; itself if neither is asked for.

        Raises
        ------
        IncompatibleChoiceError
            If these are points, float images, or images of neither 1 nor 3 channels.
        """
        if size is None and channels is None:
            return self
        if self._values.dtype != torch.uint8:
            raise IncompatibleChoiceError(
                f"image_size, channels: only uint8 images can be converted, {self.name} holds float32"
            )
        return InMemory(
            fit_stack(self._values, size, channels),
            name=self.name,
            labels=self._labels,
            white=int(2 * self._half),
            label_names=self.label_names,
            skipped=self.skipped,
        )

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._values)

    def batch(self, indices: Tensor) -> Tensor:
        """Samples at the given indices: float32, shape (len(indices), *shape)."""
        chosen = self._values[indices]
        if chosen.dtype == torch.uint8:
            return chosen.to(torch.float32).div_(self._half).sub_(1.0)
        return chosen
