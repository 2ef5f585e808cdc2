"""The history as TensorBoard events, where TensorBoard is installed."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["tensorboard_writer"]


@contextmanager
def tensorboard_writer(folder: Path | None, *, step: int) -> Iterator[Callable[[dict[str, float]], None]]:
    """A function that writes an entry of the history as events; it does nothing without a folder or TensorBoard.

    Events of an earlier session beyond `step` are marked as void.
    """
    if folder is None or importlib.util.find_spec("tensorboard") is None:
        yield _ignore
        return
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder, purge_step=step + 1 if step else None) as writer:

        def write(entry: dict[str, float]) -> None:
            for name, value in entry.items():
                if name != "step":
                    writer.add_scalar(name, value, int(entry["step"]))

        yield write


def _ignore(entry: dict[str, float]) -> None:
    del entry
