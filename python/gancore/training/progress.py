"""How far training is, on stderr: a bar on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from gancore._extras import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Reporter", "report_progress"]

_SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """Hears of every step; `losses` are those of the latest step that was looked at."""

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        """Show that a step is done."""


@contextmanager
def report_progress(title: str, *, first: int, total: int, shown: bool) -> Iterator[Reporter]:
    """A reporter of steps `first` + 1, ..., `total`."""
    if not shown:
        yield _silent
    elif sys.stderr.isatty():
        with _bar(title, first=first, total=total) as reporter:
            yield reporter
    else:
        yield _Lines(title, first=first, total=total)


def _silent(step: int, losses: Mapping[str, float]) -> None:
    del step, losses


@contextmanager
def _bar(title: str, *, first: int, total: int) -> Iterator[Reporter]:
    require("rich", extra="train")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, completed=first, speed="", losses="")
        started = time.monotonic()

        def report(step: int, losses: Mapping[str, float]) -> None:
            speed = (step - first) / max(time.monotonic() - started, 1e-9)
            progress.update(task, completed=step, speed=f"{speed:.1f} it/s", losses=_text(losses))

        yield report


class _Lines:
    """A line every ten seconds, and one at the end."""

    def __init__(self, title: str, *, first: int, total: int) -> None:
        self._title, self._first, self._total = title, first, total
        self._started = self._written = time.monotonic()

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._written < _SECONDS_BETWEEN_LINES and step < self._total:
            return
        self._written = now
        speed = (step - self._first) / max(now - self._started, 1e-9)
        left = timedelta(seconds=round((self._total - step) / speed))
        sys.stderr.write(f"{self._title}: step {step}/{self._total}  {speed:.1f} it/s  {left} left  {_text(losses)}\n")
        sys.stderr.flush()


def _text(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
