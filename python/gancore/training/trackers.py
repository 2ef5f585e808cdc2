"""The history sent to a service that keeps experiments: Weights & Biases, or trackio, which speaks the same way."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from gancore._extras import require
from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gancore.training.folder import RunRecord

    Writer = Callable[[dict[str, float]], object]

__all__ = ["TRACKERS", "writer_of"]

TRACKERS = ("trackio", "wandb")
"""Modules with ``init``, ``log`` and ``finish``."""


@contextmanager
def writer_of(wanted: str | Writer, record: RunRecord, *, shown: bool) -> Iterator[Writer]:
    """A function that takes the entries of the history: the one given, or what sends them to a service by its name.

    Parameters
    ----------
    wanted : str or callable
    record : RunRecord
        What was asked for: the service keeps it as the configuration.
    shown : bool
        Whether this process is the one that writes; the service hears of no other.

    Raises
    ------
    UnknownNameError
        If there is no such service.
    MissingExtraError
        If its package is not installed.
    """
    if not isinstance(wanted, str):
        yield wanted
        return
    if wanted not in TRACKERS:
        raise UnknownNameError("writers", wanted, TRACKERS)
    service = require(wanted, extra=wanted)
    if not shown:
        yield _ignore
        return
    service.init(project="gancore", name=f"{record.system} on {record.data['name']}", config=asdict(record))
    try:
        yield lambda entry: service.log({k: v for k, v in entry.items() if k != "step"}, step=int(entry["step"]))
    finally:
        service.finish()


def _ignore(entry: dict[str, float]) -> None:
    del entry
