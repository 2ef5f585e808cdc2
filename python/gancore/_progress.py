"""A progress bar on stderr where a person looks at it, and nothing anywhere else."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(description: str, total: int | None, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that moves the bar on by so many units; no bar without a terminal, or without rich.

    Examples
    --------
    >>> with progress_bar("counting", 3, shown=False) as advance:
    ...     advance(3)
    """
    if not (shown and sys.stderr.isatty() and importlib.util.find_spec("rich")):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda units: bar.advance(task, units)
