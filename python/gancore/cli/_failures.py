"""What a person sees when something goes wrong: one line on stderr, and an exit code that scripts can read."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gancore.errors import (
    ConfigError,
    DTypeError,
    GancoreError,
    InvalidInputError,
    MissingExtraError,
    NotPositiveDefiniteError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["INTERRUPTED", "UsageError", "note", "reported"]

INTERRUPTED = 130
_FAILURE, _INPUT, _BROKEN_PIPE = 1, 2, 141


class UsageError(ConfigError):
    """The command line cannot be read; its one line ends with where to find help."""


_MISTAKES = (
    InvalidInputError,
    DTypeError,
    ConfigError,
    MissingExtraError,
    NotPositiveDefiniteError,
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
)


def note(message: str) -> None:
    """Say something to the person on stderr, where it is not taken for a result."""
    print(message, file=sys.stderr)


def reported(program: str, run: Callable[[], int]) -> int:
    """Run a command and turn what it raises into one line and an exit code; errors of our own making pass through."""
    try:
        with _warnings_in_one_line(program):
            return run()
    except SystemExit as stop:
        # argparse leaves this way after --help and --version.
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        note(f"{program}: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has what it wanted; Python must not complain of it when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (GancoreError, OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not (isinstance(error, GancoreError) or _is_out_of_memory(error)):
            raise
        if os.environ.get("GANCORE_DEBUG", "0") not in ("", "0"):
            traceback.print_exc()
        note(f"{program}: error: {_one_line(error, program)}")
        return _INPUT if isinstance(error, _MISTAKES) else _FAILURE


def _one_line(error: BaseException, program: str) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return "out of memory; ask for smaller batches or fewer samples"
    text = " ".join(str(error).split())
    return f"{text} (see {program} --help)" if isinstance(error, UsageError) else text


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether it is torch's error for a full device; torch may not be imported."""
    return type(error).__name__ == "OutOfMemoryError"


@contextmanager
def _warnings_in_one_line(program: str) -> Iterator[None]:
    """Show what is warned of without the line of the source that warned."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: note(f"{program}: warning: {' '.join(str(message).split())}")
        yield
