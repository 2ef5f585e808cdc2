"""Where a metric's samples come from: files, arrays, data, loaders and generators, all as batches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._extras import require
from gancore.datasets import as_data, load
from gancore.datasets._interface import Data
from gancore.datasets._numpy_file import ARRAY_SUFFIXES, read_arrays, samples_key
from gancore.errors import DomainError, DTypeError
from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["batches", "opened"]


def opened(source: Any, name: str, *, n: int | None) -> Any:
    """A source brought to one of: FeatureMoments, array, tensor, Data, DataLoader."""
    if isinstance(source, str | Path):
        return _read(Path(source), str(source))
    if isinstance(source, FeatureMoments | np.ndarray | Data):
        return source
    torch = sys.modules.get("torch")
    if torch is not None:
        if isinstance(source, torch.Tensor | torch.utils.data.DataLoader):
            return source
        if isinstance(source, torch.utils.data.Dataset):
            return as_data(source)
        if isinstance(source, torch.nn.Module):
            raise DTypeError(f"{name}: a network takes codes; pass a function n -> samples, such as run.sample")
    if callable(source):
        if n is None:
            raise DomainError(f"{name}: say how many samples to draw: n=...")
        drawn = source(n)
        drawn = getattr(drawn, "x", drawn)
        if not hasattr(drawn, "shape") or len(drawn) != n:
            raise DTypeError(f"{name}: expected the function to return an array of {n} samples, got {_kind(drawn)}")
        return drawn
    raise DTypeError(
        f"{name}: expected a path, an array or tensor, Data, a Dataset, a DataLoader, FeatureMoments or a function "
        f"n -> samples, got {type(source).__name__}"
    )


def batches(source: Any, name: str, *, batch_size: int, rows: bool, checked: bool) -> Iterator[Any]:
    """Samples in order: NumPy rows or tensors if `rows`, else float32 image tensors.

    8-bit images come in [-1, 1], as everywhere; floats come as they are and, if `checked`, must lie in [-1, 1].
    """
    if rows and not isinstance(source, Data) and hasattr(source, "shape"):
        yield from (source[start : start + batch_size] for start in range(0, len(source), batch_size))
        return
    torch = require("torch", extra="train")
    if hasattr(source, "dtype") and (checked or str(source.dtype).endswith("uint8")):
        from gancore.datasets._tensors import from_array, from_tensor

        tensor = isinstance(source, torch.Tensor)
        read = from_tensor if tensor else from_array
        source = read(source.cpu() if tensor else source, name=name, where=name)
    if isinstance(source, np.ndarray):
        source = torch.from_numpy(np.ascontiguousarray(source))
    if isinstance(source, Data):
        indices = torch.arange(len(source))
        yield from (source.batch(indices[start : start + batch_size]) for start in range(0, len(source), batch_size))
    elif isinstance(source, torch.Tensor):
        yield from (source[start : start + batch_size] for start in range(0, len(source), batch_size))
    else:
        for item in source:
            x = item[0] if isinstance(item, tuple | list) else item
            if not isinstance(x, torch.Tensor):
                raise DTypeError(f"{name}: expected the loader to give tensors, got {type(x).__name__}")
            yield from batches(x, name, batch_size=batch_size, rows=rows, checked=checked)


def _read(path: Path, spec: str) -> Any:
    if path.suffix not in ARRAY_SUFFIXES or not path.is_file():
        return load(spec)
    members = read_arrays(path)
    if {"mu", "sigma"} <= members.keys():
        return FeatureMoments.load(path)
    return members[samples_key(members, path)]


def _kind(value: Any) -> str:
    return f"shape {tuple(value.shape)}" if hasattr(value, "shape") else type(value).__name__
