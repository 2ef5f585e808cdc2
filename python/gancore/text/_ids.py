"""What sequences of token ids have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gancore.errors import DomainError, DTypeError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_ids"]


def check_ids(name: str, ids: Tensor, size: int) -> None:
    """Require sequences (n, length) of integers 0, ..., size - 1.

    Raises
    ------
    DTypeError, ShapeError, DomainError
        If they are not; the message says where.
    """
    if ids.is_floating_point() or ids.is_complex() or str(ids.dtype) == "torch.bool":
        raise DTypeError(f"{name}: expected integers, got {ids.dtype}")
    if ids.ndim != 2 or 0 in ids.shape:
        raise ShapeError(f"{name}: expected sequences (n, length), neither empty, got shape {tuple(ids.shape)}")
    bad = ((ids < 0) | (ids >= size)).nonzero()
    if len(bad):
        row, column = bad[0].tolist()
        raise DomainError(f"{name}[{row}, {column}]: expected 0 to {size - 1}, got {int(ids[row, column])}")
