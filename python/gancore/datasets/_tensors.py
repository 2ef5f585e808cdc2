"""Arrays and tensors as data: what their element type and shape mean, decided by rule and never by guess."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gancore.datasets._memory import InMemory
from gancore.errors import BackendError, DomainError, DTypeError, ShapeError

__all__ = ["check_floats", "check_labels", "from_array", "from_tensor"]

# Values that rounding may push past +-1; anything further out is on another scale.
_SLACK = 1e-5


def from_tensor(values: Tensor, *, name: str, labels: Tensor | None = None, where: str = "data") -> InMemory:
    """Data of a tensor: uint8 or float images (n, c, h, w) or (n, h, w), float points (n, d)."""
    if values.device.type != "cpu":
        raise BackendError(f"{where}: expected a tensor on the CPU, got one on {values.device}; pass data.cpu()")
    values = values.detach()
    if values.ndim == 3:
        values = values[:, None]
    if values.ndim not in (2, 4) or 0 in values.shape:
        raise ShapeError(
            f"{where}: expected images (n, c, h, w) or (n, h, w), or points (n, d), none of them empty, "
            f"got shape {tuple(values.shape)}"
        )
    if values.dtype == torch.uint8:
        if values.ndim == 2:
            raise DTypeError(
                f"{where}: rows of uint8 {tuple(values.shape)} are neither images nor points; "
                "reshape them to (n, h, w) if they are images, convert them to float32 if they are points"
            )
    elif values.is_floating_point():
        values = values.to(torch.float32)
        check_floats(values, where=where)
    else:
        raise DTypeError(f"{where}: expected uint8 images or floating-point values, got {values.dtype}")
    return InMemory(values, name=name, labels=check_labels(labels, len(values), where=where))


def from_array(
    array: np.ndarray[Any, Any],
    *,
    name: str,
    labels: np.ndarray[Any, Any] | None = None,
    where: str = "data",
) -> InMemory:
    """Data of a NumPy array: as a tensor's, and images may also have their channels last."""
    if array.ndim == 4:
        array = _channels_first(array, where)
    return from_tensor(
        _tensor(array, where),
        name=name,
        labels=None if labels is None else _tensor(labels, where),
        where=where,
    )


def check_floats(values: Tensor, *, where: str) -> None:
    """Refuse nan, infinity and, for images (at least three axes), values outside [-1, 1]."""
    finite = values.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        row = int((~finite).nonzero()[0])
        raise DomainError(f"{where}: expected finite values, got nan or infinity (as float32) in row {row}")
    if values.ndim < 3:
        return
    low, high = (float(bound) for bound in values.aminmax())
    if low < -1 - _SLACK or high > 1 + _SLACK:
        raise DomainError(
            f"{where}: expected float images in [-1, 1], got values in [{low:g}, {high:g}]; "
            "pass uint8 images, or scale them: x / 127.5 - 1 from [0, 255], 2 * x - 1 from [0, 1]"
        )
    if low >= 0 < high:
        warnings.warn(
            f"{where}: float images are taken as they are, for [-1, 1], and no value is negative; "
            "if they are scaled to [0, 1], pass 2 * x - 1",
            UserWarning,
            stacklevel=2,
        )


def check_labels(labels: Tensor | None, n: int, *, where: str) -> Tensor | None:
    """Labels as int64 of shape (n,)."""
    if labels is None:
        return None
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise DTypeError(f"{where}: expected integer labels, got {labels.dtype}")
    if tuple(labels.shape) != (n,):
        raise ShapeError(f"{where}: expected {n} labels of shape ({n},), got shape {tuple(labels.shape)}")
    return labels.to(torch.int64)


def _channels_first(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    first, last = array.shape[1] in (1, 3), array.shape[3] in (1, 3)
    if first == last:
        raise ShapeError(
            f"{where}: expected (n, c, h, w) or (n, h, w, c) with 1 or 3 channels, got shape {array.shape}, "
            f"which is {'both' if first else 'neither'}; a torch tensor is always read as (n, c, h, w)"
        )
    return array if first else array.transpose(0, 3, 1, 2)


def _tensor(array: np.ndarray[Any, Any], where: str) -> Tensor:
    """Share memory where torch can; copy what it cannot: foreign byte order, negative strides, read-only."""
    if array.dtype.kind not in "uif" or array.dtype.itemsize > 8:
        raise DTypeError(f"{where}: expected uint8 images or floating-point values, got dtype {array.dtype}")
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return torch.from_numpy(native if native.flags.writeable else native.copy())
