"""Stacked digits: grey images as the channels of one, so that ten classes make a hundred or a thousand modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import torch

from gancore import _check
from gancore.datasets._interface import Data
from gancore.errors import DataError, DomainError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Stacked", "stacked"]


@final
class Stacked(Data):
    """Images whose channels are grey images drawn at random; made by :func:`stacked`.

    Attributes
    ----------
    base : Data
        The grey images.
    classes : tuple of int
        Their labels, sorted: the digits in which a joint label is written.
    """

    def __init__(self, base: Data, *, channels: int, n: int, seed: int, name: str) -> None:
        if base.kind != "image" or base.shape[0] != 1:
            raise DataError(f"{base.name}: expected grey images (1, h, w) to stack, got shape {base.shape}")
        if base.labels is None:
            raise DataError(f"{base.name}: expected labels, for modes are combinations of them; there are none")
        self.name = name
        self.kind = "image"
        self.shape = (channels, *base.shape[1:])
        self.base = base
        known, places = np.unique(base.labels.numpy(), return_inverse=True)
        self.classes = tuple(known.tolist())
        drawn = np.random.default_rng(seed).integers(len(base), size=(n, channels))
        self._rows = torch.from_numpy(drawn)
        joint = np.zeros(n, dtype=np.int64)
        for channel in range(channels):
            joint = joint * len(known) + places[drawn[:, channel]]
        self._labels = torch.from_numpy(joint)

    @property
    def labels(self) -> Tensor:
        """The joint label, written in digits of the base's classes, the first channel foremost: int64 (n,)."""
        return self._labels

    def __len__(self) -> int:
        """How many images there are."""
        return len(self._rows)

    def batch(self, indices: Tensor) -> Tensor:
        """Images at the given indices: float32, shape (len(indices), channels, h, w)."""
        rows = self._rows[indices]
        return self.base.batch(rows.flatten()).reshape(len(rows), *self.shape)


def stacked(base: Data, *, channels: int = 3, n: int = 128_000, seed: int = 0, name: str | None = None) -> Stacked:
    """Stack labelled grey images at random.

    Parameters
    ----------
    base : Data
        Labelled images of shape (1, h, w), such as MNIST's.
    channels : int
        How many to stack: three digits make 1000 modes, two make 100.
    n : int
        How many stacks to draw, with replacement (PacGAN: 128,000).
    seed : int
        Seed of the draw.
    name : str, optional
        What to call the data.

    Returns
    -------
    Stacked

    Raises
    ------
    DataError
        If these are not labelled grey images.
    DomainError
        If there are no channels, no stacks, or more than a million joint classes.

    References
    ----------
    L. Metz et al., "Unrolled Generative Adversarial Networks" (2017), section 3.3.2; Z. Lin et al., "PacGAN" (2018),
    section 4.2.

    Examples
    --------
    >>> from gancore.datasets import load
    >>> pairs = stacked(load("digits"), channels=2, n=500)
    >>> pairs.shape, int(pairs.labels.max()) < 100
    ((2, 8, 8), True)
    """
    _check.integer("channels", channels, least=1)
    _check.integer("n", n, least=1)
    kinds = 1 if base.labels is None else len(torch.unique(base.labels))
    if kinds**channels > 10**6:
        raise DomainError(f"channels: expected at most a million joint classes, got {kinds}^{channels}")
    return Stacked(base, channels=channels, n=n, seed=seed, name=name or f"stacked {base.name}, {channels} channels")
