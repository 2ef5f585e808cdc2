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
from gancore._extras import require
from gancore.errors import BackendError, DTypeError

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

__all__ = ["Array", "Scalar", "call", "fill", "is_tensor", "refuse_gradients", "to_numpy", "write"]

Array: TypeAlias = Union["npt.NDArray[Any]", "torch.Tensor"]
"""What kernels take and give: a NumPy array or a torch tensor."""

Scalar: TypeAlias = Union[float, "torch.Tensor"]
"""A single number: a Python float for NumPy input, a 0-d tensor for torch input."""


def call(kernel: str, function: str, /, *, settings: dict[str, Any], mixed: bool = False, **arrays: Any) -> Any:
    """Answer a call of ``function``, given its arrays by name and in order, by the implementation they ask for.

    The kernel reads arrays of one dtype, to which the others are copied, unless it takes them ``mixed``. An optional
    array that is not given is None.

    Raises
    ------
    DTypeError
        If an array is neither float nor integer, or NumPy arrays and tensors are mixed.
    BackendError
        If tensors lie on different devices.
    """
    given = {name: array for name, array in arrays.items() if array is not None}
    tensors = _of_one_kind(given)
    if tensors and _wants_twin(given):
        return getattr(_twin(kernel), function)(**arrays, **settings)
    views = [to_numpy(name, array) for name, array in given.items()] if mixed else _common_dtype(given)
    by_name = dict(zip(given, views, strict=True))
    return _as_kind(getattr(_rust, function)(*map(by_name.get, arrays), **settings), tensors=tensors)


def write(kernel: str, function: str, out: Any, /, *, settings: dict[str, Any], **arrays: Any) -> Any:
    """Answer a call of ``function`` by writing to ``out``, or to a new array like the first; what was written to.

    Raises
    ------
    DTypeError
        If an array is neither float nor integer, or NumPy arrays and tensors are mixed.
    BackendError
        If tensors lie on different devices, or their gradient is recorded.
    """
    given = arrays if out is None else {**arrays, "out": out}
    tensors = _of_one_kind(given)
    refuse_gradients(function, **given)
    if tensors and _wants_twin(given):
        return getattr(_twin(kernel), function)(**arrays, out=out, **settings)
    views = [to_numpy(name, array) for name, array in arrays.items()]
    target = np.empty_like(views[0]) if out is None else out.detach().numpy() if tensors else out
    getattr(_rust, function)(*views, target, **settings)
    if out is None:
        return _as_kind(target, tensors=tensors)
    if tensors and not out.is_inference():
        import torch

        # Autograd must know that what it may have kept of this tensor is gone.
        torch.autograd.graph.increment_version(out)
    return out


def fill(
    kernel: str, function: str, /, shape: tuple[int, ...], *, dtype: str, device: Any, settings: dict[str, Any]
) -> Any:
    """Answer a call of ``function``, which has no arrays, by a NumPy array, or a tensor where a device is given.

    Raises
    ------
    MissingExtraError
        If a device is given and torch is not installed.
    """
    if device is not None:
        torch = require("torch", extra="torch")
        if torch.device(device).type != "cpu":
            return getattr(_twin(kernel), function)(shape, dtype=dtype, device=device, **settings)
    values = np.empty(shape, dtype)
    getattr(_rust, function)(values, **settings)
    return _as_kind(values, tensors=device is not None)


def refuse_gradients(function: str, /, **arrays: Any) -> None:
    """Refuse tensors whose gradient is recorded, for a function that has none.

    Raises
    ------
    BackendError
        If there is such a tensor.
    """
    for name, array in arrays.items():
        if is_tensor(array) and _recorded(array):
            raise BackendError(
                f"{function} has no gradient, and `{name}` requires one; detach it, or call under torch.no_grad()"
            )


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


def _of_one_kind(arrays: dict[str, Any]) -> bool:
    tensors = [name for name, array in arrays.items() if is_tensor(array)]
    if tensors and len(tensors) < len(arrays):
        other = next(name for name in arrays if name not in tensors)
        raise DTypeError(f"`{other}` must be a torch tensor, as `{tensors[0]}` is; got {type(arrays[other]).__name__}")
    return bool(tensors)


def _twin(kernel: str) -> Any:
    return importlib.import_module(f"gancore.kernels._torch.{kernel}")


def _as_kind(values: Any, *, tensors: bool) -> Any:
    if isinstance(values, tuple):
        return tuple(_as_kind(value, tensors=tensors) for value in values)
    if not isinstance(values, np.ndarray):
        return values
    if tensors:
        import torch

        return torch.from_numpy(values)
    return values.item() if values.ndim == 0 else values


def _wants_twin(tensors: dict[str, torch.Tensor]) -> bool:
    devices = {name: tensor.device for name, tensor in tensors.items()}
    if len(set(devices.values())) > 1:
        placed = ", ".join(f"`{name}` on {device}" for name, device in devices.items())
        raise BackendError(f"tensors must lie on one device; got {placed}")
    recorded = any(_recorded(tensor) for tensor in tensors.values())
    return recorded or any(device.type != "cpu" for device in devices.values())


def _recorded(tensor: torch.Tensor) -> bool:
    import torch

    return torch.is_grad_enabled() and tensor.requires_grad
