"""The dispatch point: which implementation answers a call, by the kind and place of its arrays.

NumPy arrays and CPU tensors go to the compiled kernel, without a copy if they are contiguous. CUDA tensors, and
tensors whose gradient is recorded, go to the torch twin ``gancore.kernels._torch.<kernel>``, on their device. Nothing
moves between devices, and the result is of the input's kind.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from gancore import _rust
from gancore.errors import BackendError, DTypeError

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

__all__ = ["Array", "Scalar", "call", "is_tensor", "to_numpy"]

Array: TypeAlias = Union["npt.NDArray[Any]", "torch.Tensor"]
"""What kernels take and give: a NumPy array or a torch tensor."""

Scalar: TypeAlias = Union[float, "torch.Tensor"]
"""A single number: a Python float for NumPy input, a 0-d tensor for torch input."""


def call(kernel: str, function: str, /, *, settings: dict[str, Any], **arrays: Any) -> Any:
    """Answer a call of ``function``, given its arrays by name and in order, by the implementation they ask for.

    Raises
    ------
    DTypeError
        If an array is neither float nor integer, or NumPy arrays and tensors are mixed.
    BackendError
        If tensors lie on different devices.
    """
    tensors = [name for name, array in arrays.items() if is_tensor(array)]
    if tensors and len(tensors) < len(arrays):
        other = next(name for name in arrays if name not in tensors)
        raise DTypeError(f"`{other}` must be a torch tensor, as `{tensors[0]}` is; got {type(arrays[other]).__name__}")
    if tensors and _wants_twin(arrays):
        twin = importlib.import_module(f"gancore.kernels._torch.{kernel}")
        return getattr(twin, function)(**arrays, **settings)
    values = getattr(_rust, function)(*_common_dtype(arrays), **settings)
    if tensors:
        import torch

        return torch.from_numpy(values) if isinstance(values, np.ndarray) else values
    return values[()] if isinstance(values, np.ndarray) else values


def is_tensor(value: object) -> bool:
    """Whether a value is a torch tensor, without importing torch: nobody has a tensor who has not done so."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def to_numpy(name: str, array: Any) -> npt.NDArray[Any]:
    """View an array, a CPU tensor or nested numbers as a C-contiguous float32 or float64 NumPy array.

    Raises
    ------
    DTypeError
        If the elements are neither float32, float64, integers nor booleans.
    """
    if is_tensor(array):
        if array.dtype.is_floating_point and array.element_size() < 4:
            raise DTypeError(f"`{name}` must be float32 or float64; got {array.dtype}: convert with .float()")
        array = array.detach().numpy()
    array = np.asarray(array)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    if array.dtype not in (np.float32, np.float64):
        raise DTypeError(f"`{name}` must hold float32 or float64 numbers; got dtype {array.dtype}")
    # ascontiguousarray would give a scalar an axis.
    return np.asarray(array, order="C")


def _common_dtype(arrays: dict[str, Any]) -> list[npt.NDArray[Any]]:
    values = [to_numpy(name, array) for name, array in arrays.items()]
    common = np.result_type(*values)
    return [value.astype(common, copy=False) for value in values]


def _wants_twin(tensors: dict[str, torch.Tensor]) -> bool:
    import torch

    devices = {name: tensor.device for name, tensor in tensors.items()}
    if len(set(devices.values())) > 1:
        placed = ", ".join(f"`{name}` on {device}" for name, device in devices.items())
        raise BackendError(f"tensors must lie on one device; got {placed}")
    recorded = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors.values())
    return recorded or any(device.type != "cpu" for device in devices.values())
