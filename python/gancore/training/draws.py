"""Random numbers of a whole batch, of which each process keeps its share."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from gancore.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from gancore.training.processes import Processes

__all__ = ["drawn_together"]

_KNOWN = {torch.rand: 0, torch.randn: 0, torch.randint: 2}
"""What can be drawn in shares, and the arguments before the shape. A permutation is drawn whole, by all alike."""


def drawn_together(processes: Processes, random: torch.Generator, share: int) -> AbstractContextManager[object]:
    """A context in which draws for `share` samples from `random` are a share of what one process would draw.

    Latent codes and the penalties' random numbers are then those of the whole batch, whatever the number of
    processes, and all generators stay in step. Draws of other sizes are the same on every process.
    """
    return nullcontext() if processes.world == 1 else _Shares(processes, random, share)


class _Shares(TorchFunctionMode):
    """Sees every call of torch, and changes those that draw from one generator."""

    def __init__(self, processes: Processes, random: torch.Generator, share: int) -> None:
        super().__init__()
        self._processes, self._random, self._share = processes, random, share

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("generator") is not self._random:
            return func(*args, **kwargs)
        if func is torch.randperm:
            return func(*args, **kwargs)
        if func not in _KNOWN:
            raise BackendError(
                f"{func.__name__}: cannot be shared out; draw with torch.rand, randn, randint or randperm"
            )
        return self._draw(func, args, kwargs)

    def _draw(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        kwargs = dict(kwargs)
        shape = kwargs.pop("size", None)
        if shape is None:
            args, shape = _parted(func, args)
        whole = list(shape)
        shared = bool(whole) and whole[0] == self._share
        if shared:
            whole[0] *= self._processes.world
        drawn: Tensor = func(*args, tuple(whole), **kwargs)
        return self._processes.own(drawn) if shared else drawn


def _parted(func: Callable[..., Any], args: tuple[Any, ...]) -> tuple[tuple[Any, ...], Sequence[int]]:
    """The arguments before a shape, and the shape: one argument, or the rest of them."""
    if args and isinstance(args[-1], (tuple, list)):
        return args[:-1], args[-1]
    return args[: _KNOWN[func]], args[_KNOWN[func] :]
