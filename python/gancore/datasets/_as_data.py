"""Anything a script has, as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._extras import require
from gancore.datasets._interface import Data
from gancore.datasets._load import load
from gancore.errors import DTypeError, IncompatibleChoiceError

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

__all__ = ["as_data"]


def as_data(obj: object, *, name: str | None = None) -> Data:
    """Anything a script has, as data that training and metrics can read.

    uint8 images are scaled from [0, 255] to [-1, 1]. Float images are taken as they are and must lie in [-1,
    1]; a warning says so if none of their values is negative. Points are taken as they are.

    Parameters
    ----------
    obj : Data, Tensor, ndarray, torch Dataset, DataLoader, str or path
        Tensors and arrays: images (n, c, h, w) or (n, h, w), or float points (n, d); a NumPy array may also
        have 1 or 3 channels last. A dataset's items are x or (x, y, ...), x one image or point, y an integer
        label. A loader is reduced to its dataset. A string or path goes to :func:`load`.
    name : str, optional
        What to call the data; Data and named sources keep their own.

    Returns
    -------
    Data
        Without a copy where that is possible; a dataset is read item by item as batches are asked for.

    Raises
    ------
    DTypeError
        If `obj` is none of these, or its element type is neither uint8 nor floating.
    ShapeError
        If it is neither images nor points.
    DomainError
        If it holds nan, infinity, or float images outside [-1, 1].
    IncompatibleChoiceError
        If a loader samples or collates in its own way, which reading its dataset would lose.
    BackendError
        If a tensor is not on the CPU.

    Examples
    --------
    >>> import numpy as np
    >>> data = as_data(np.zeros((5, 8, 8, 3), dtype=np.uint8))
    >>> data.shape, len(data)
    ((3, 8, 8), 5)
    """
    if isinstance(obj, Data):
        return obj
    if isinstance(obj, str | Path):
        return load(obj)
    torch = require("torch", extra="train")
    from gancore.datasets._tensors import from_array, from_tensor

    if isinstance(obj, torch.Tensor):
        return from_tensor(obj, name=name or "tensor")
    if isinstance(obj, np.ndarray):
        return from_array(obj, name=name or "array")
    if isinstance(obj, torch.utils.data.DataLoader):
        return _from_dataset(_plain_dataset(obj), name)
    if isinstance(obj, torch.utils.data.Dataset):
        return _from_dataset(obj, name)
    raise DTypeError(
        "data: expected Data, a tensor, an array, a torch Dataset, a DataLoader, a name or a path, "
        f"got {type(obj).__name__}"
    )


def _plain_dataset(loader: DataLoader[Any]) -> Any:
    """The dataset of a loader that does no more than shuffle and stack."""
    from torch.utils.data import (
        BatchSampler,
        IterableDataset,
        RandomSampler,
        SequentialSampler,
        default_collate,
    )

    dataset: Any = loader.dataset
    if isinstance(dataset, IterableDataset):
        return dataset
    sampler = loader.sampler
    plain = (
        isinstance(sampler, RandomSampler | SequentialSampler)
        and (isinstance(sampler, SequentialSampler) or sampler.num_samples == len(dataset))
        and type(loader.batch_sampler) in (BatchSampler, type(None))
        and (loader.batch_size is None or loader.collate_fn is default_collate)
    )
    if not plain:
        raise IncompatibleChoiceError(
            "data: the loader has a sampler or collate_fn of its own, which would be lost; pass a Dataset "
            "(torch.utils.data.Subset selects) whose items are what should be read"
        )
    return dataset


def _from_dataset(dataset: Any, name: str | None) -> Data:
    from torch.utils.data import IterableDataset, TensorDataset

    from gancore.datasets._indexed import Indexed
    from gancore.datasets._tensors import from_tensor

    if isinstance(dataset, IterableDataset):
        raise DTypeError("data: expected a dataset with a length and indices, got an IterableDataset")
    name = name or type(dataset).__name__
    if isinstance(dataset, TensorDataset):
        values, *rest = dataset.tensors
        labels = rest[0] if rest and rest[0].ndim == 1 and not rest[0].is_floating_point() else None
        return from_tensor(values, name=name, labels=labels)
    return Indexed(dataset, name=name)
