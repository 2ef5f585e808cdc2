"""What training reads: a finite set of samples that answers for any batch of indices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.text.vocabulary import Vocabulary

__all__ = ["Data"]


class Data(ABC):
    """Samples in the range that networks see: images float32 in [-1, 1], shape (c, h, w); points as they are.

    A sequence of tokens is a row of one-hot vectors, of shape (length, number of token ids), and is kept as the row of
    ids int64 that says the same.

    Attributes
    ----------
    name : str
        What the user asked for: ``digits``, a path, ``tensor``.
    kind : {"image", "points", "tokens"}
        What one sample is.
    shape : tuple of int
        Shape of one sample.
    vocabulary : Vocabulary or None
        The words behind token ids, where there are words.
    label_names : tuple of str
        Names of the labels 0, 1, ..., where the source has names.
    skipped : tuple of (str, str)
        File and reason of everything that was left out because the user allowed it.
    """

    name: str
    kind: Literal["image", "points", "tokens"]
    shape: tuple[int, ...]
    vocabulary: Vocabulary | None = None
    label_names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    @abstractmethod
    def labels(self) -> Tensor | None:
        """Labels: int64 of shape (n,), or None where the source has none."""

    @abstractmethod
    def __len__(self) -> int:
        """How many samples there are."""

    @abstractmethod
    def batch(self, indices: Tensor) -> Tensor:
        """Samples at indices (int64, on the CPU): float32 of shape (len(indices), *shape), on the CPU.

        Tokens: int64 of shape (len(indices), length).
        """
