"""Ragged lists of token ids as two flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gancore.errors import BackendError, DomainError, DTypeError, ShapeError
from gancore.kernels._dispatch import is_tensor

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Sentences", "flatten", "refuse_short"]

Sentences: TypeAlias = Any
"""Sequences of token ids: a list of lists, of 1-D integer arrays or of tensors, or a 2-D one of either."""


def flatten(name: str, sentences: Sentences) -> tuple[Any, npt.NDArray[np.int64]]:
    """Tokens of all sentences, one after the other, and the length of each.

    Tokens are a NumPy array, or a tensor where the sentences lie on a GPU.

    Raises
    ------
    ShapeError
        If there is no sentence, or it is not a list of sequences.
    DomainError
        If a sentence is empty.
    DTypeError
        If ids are no integers.
    BackendError
        If tensors lie on different devices.
    """
    if not isinstance(sentences, Sequence) and not hasattr(sentences, "__len__"):
        raise DTypeError(f"`{name}` must be a list of sequences of token ids; got {type(sentences).__name__}")
    rows: list[Any] = list(sentences)
    if not rows:
        raise ShapeError(f"`{name}` must have at least one sentence; got none")
    if any(isinstance(row, (str, bytes)) or not hasattr(row, "__len__") or np.ndim(row[:1]) != 1 for row in rows):
        raise ShapeError(f"`{name}` must be sentences, each a sequence of token ids")
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    if not lengths.all():
        raise DomainError(f"`{name}` must have at least 1 token in each sentence; got 0 in sentence {lengths.argmin()}")
    return _joined(name, rows), lengths


def refuse_short(name: str, lengths: npt.NDArray[np.int64], n: int, *, allow_short: bool) -> None:
    """Refuse sentences without an n-gram, unless they are allowed.

    Raises
    ------
    DomainError
        If there is one.
    """
    if not allow_short and (lengths < n).any():
        at = int((lengths < n).argmax())
        raise DomainError(
            f"`n` must be at most the length of every sentence of `{name}` (or pass allow_short=True); "
            f"got {n}, and {lengths[at]} tokens in sentence {at}"
        )


def _joined(name: str, rows: list[Any]) -> Any:
    if is_tensor(rows[0]):
        import torch

        if len({row.device for row in rows if is_tensor(row)}) > 1 or not all(map(is_tensor, rows)):
            raise BackendError(f"`{name}` must be tensors on one device, or none")
        joined = torch.cat(rows)
        if joined.is_floating_point() or joined.is_complex() or joined.dtype == torch.bool:
            raise DTypeError(f"`{name}` must hold integer token ids; got {joined.dtype}")
        return joined.long() if joined.is_cuda else joined.long().numpy()
    tokens = _array(rows)
    if tokens.dtype.kind not in "iu":
        raise DTypeError(f"`{name}` must hold integer token ids; got dtype {tokens.dtype}")
    return tokens.astype(np.int64, copy=False)


def _array(rows: Iterable[Any]) -> npt.NDArray[Any]:
    rows = list(rows)
    if all(isinstance(row, np.ndarray) for row in rows):
        return np.concatenate(rows)
    return np.array(list(chain.from_iterable(rows)))
