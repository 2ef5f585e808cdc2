"""Where a metric's samples come from: files, arrays, data, loaders and functions, all as batches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._extras import require
from gancore.datasets import NAMES, as_data, load
from gancore.datasets._interface import Data
from gancore.datasets._numpy_file import ARRAY_SUFFIXES, read_arrays, samples_key
from gancore.errors import DTypeError
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._statistics import FeatureRows, FeatureStatistics, read_features

if TYPE_CHECKING:
    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._look import Look

__all__ = ["batches", "holds_features", "opened"]


def opened(source: Any, name: str, *, resize: ImageSize | None = None, skip_bad_images: bool = False) -> Any:
    """A source as one of: FeatureStatistics, FeatureRows, array, tensor, Data, DataLoader, iterator, function."""
    if isinstance(source, str | Path):
        return _read(Path(source), str(source), resize=resize, skip_bad_images=skip_bad_images)
    if isinstance(source, FeatureMoments):
        return FeatureStatistics(source)
    if isinstance(source, FeatureStatistics | FeatureRows | np.ndarray | Data):
        return source
    torch = sys.modules.get("torch")
    if torch is not None:
        if isinstance(source, torch.Tensor | torch.utils.data.DataLoader):
            return source
        if isinstance(source, torch.utils.data.Dataset):
            return as_data(source)
        if isinstance(source, torch.nn.Module):
            raise DTypeError(f"{name}: a network takes codes; pass a function n -> samples, such as run.sample")
    if callable(source) or isinstance(source, Iterator):
        return source
    raise DTypeError(
        f"{name}: expected a path, an array or tensor, Data, a Dataset, a DataLoader, an iterator of batches, "
        f"FeatureStatistics, FeatureRows or a function n -> samples, got {type(source).__name__}"
    )


def holds_features(source: Any) -> bool:
    """Whether an opened source holds features or points, which need no network."""
    if isinstance(source, Data):
        return source.kind == "points"
    return isinstance(source, FeatureStatistics | FeatureRows) or getattr(source, "ndim", 0) == 2


def batches(source: Any, name: str, look: Look, *, batch_size: int, share: tuple[int, int] = (0, 1)) -> Iterator[Any]:
    """Samples in order: NumPy rows or tensors for a look at rows, else float32 image tensors.

    8-bit images come in [-1, 1], as everywhere; floats come as they are and, where the look checks, must lie in
    [-1, 1]. Of what has indices, a share (k, m) takes each m-th sample from number k on.
    """
    first, step = share
    if look.rows and not isinstance(source, Data) and hasattr(source, "shape"):
        part = source[first::step]
        yield from (part[start : start + batch_size] for start in range(0, len(part), batch_size))
        return
    torch = require("torch", extra="train")
    if hasattr(source, "dtype") and (look.checked or str(source.dtype).endswith("uint8")):
        from gancore.datasets._tensors import from_array, from_tensor

        tensor = isinstance(source, torch.Tensor)
        read = from_tensor if tensor else from_array
        source = read(source.cpu() if tensor else source, name=name, where=name)
    if isinstance(source, np.ndarray):
        source = torch.from_numpy(np.ascontiguousarray(source))
    if isinstance(source, Data):
        indices = torch.arange(first, len(source), step)
        yield from (source.batch(part) for part in indices.split(batch_size) if len(part))
    elif isinstance(source, torch.Tensor):
        yield from source[first::step].split(batch_size)
    else:
        for item in source:
            x = item[0] if isinstance(item, tuple | list) else item
            x = getattr(x, "x", x)
            if not isinstance(x, torch.Tensor | np.ndarray):
                raise DTypeError(f"{name}: expected batches of tensors or arrays, got {type(x).__name__}")
            yield from batches(x, name, look, batch_size=batch_size)


def _read(path: Path, spec: str, *, resize: ImageSize | None, skip_bad_images: bool) -> Any:
    if path.suffix in ARRAY_SUFFIXES and path.is_file():
        members = read_arrays(path, mapped=True)
        found = read_features(path, members)
        return members[samples_key(members, path)] if found is None else found
    if spec in NAMES or not path.is_dir():
        return load(spec)
    require("torch", extra="train")
    if (path / "run.json").is_file():
        from gancore.training import Run

        return Run.load(path).sample
    from gancore.datasets.idx import is_idx_folder

    if is_idx_folder(path):
        return load(spec)
    require("PIL", extra="train")
    from gancore.metrics._folder import ImageFolder

    return ImageFolder(path, image_size=resize, skip_bad_images=skip_bad_images)
