"""The random states of a run: derived from one seed, kept apart from the caller's, saved and restored exactly."""

from __future__ import annotations

import random
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor

__all__ = ["capture", "derive", "isolated", "restore", "seed_all"]


def derive(seed: int, stream: str) -> int:
    """A seed for one purpose: streams of the same seed are independent of each other."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(stream.encode())])
    # torch takes seeds of 63 bits without a sign.
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed the global generators of Python, NumPy and torch, and give them back as they were."""
    before = capture()
    seed_all(seed)
    try:
        yield
    finally:
        restore(before)


def seed_all(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch."""
    random.seed(derive(seed, "python"))
    # The legacy generator is what a dataset draws from that calls np.random.
    np.random.seed(derive(seed, "numpy") % 2**32)  # noqa: NPY002
    torch.manual_seed(derive(seed, "torch"))


def capture() -> dict[str, Tensor]:
    """The states of the global generators, as tensors."""
    version, words, gauss = random.getstate()
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002
    state = {
        "python/state": torch.tensor([version, *words], dtype=torch.int64),
        "python/gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy/key": torch.from_numpy(legacy["state"]["key"].astype(np.int64)),
        "numpy/position": torch.tensor([legacy["state"]["pos"], legacy["has_gauss"]], dtype=torch.int64),
        "numpy/gauss": torch.tensor([legacy["gauss"]], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    # Where CUDA is there but not used, asking for its state would start it.
    cuda_is_in_use: Callable[[], bool] = torch.cuda.is_initialized
    if cuda_is_in_use():
        state |= {f"cuda/{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
    return state


def restore(state: Mapping[str, Tensor]) -> None:
    """Set the global generators to captured states; devices that are absent here are passed over."""
    version, *words = state["python/state"].tolist()
    gauss = state["python/gauss"].tolist()
    random.setstate((version, tuple(words), gauss[0] if gauss else None))
    key = state["numpy/key"].numpy().astype(np.uint32)
    position, has_gauss = state["numpy/position"].tolist()
    np.random.set_state(("MT19937", key, position, has_gauss, state["numpy/gauss"].item()))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    for index in range(torch.cuda.device_count()):
        if f"cuda/{index}" in state:
            torch.cuda.set_rng_state(state[f"cuda/{index}"], index)
