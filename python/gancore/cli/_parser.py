"""argparse with mistakes in one line and the nearest option proposed."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from gancore.cli._failures import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Commands", "Parser", "add_command", "parse"]


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing its usage and leaving; argparse means `error` to be overridden."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise a usage error."""
        raise UsageError(message)


class Commands(Protocol):
    """What argparse's ``add_subparsers`` returns."""

    def add_parser(self, name: str, **settings: Any) -> Parser:
        """A parser for one more command."""


def add_command(
    commands: Commands, name: str, *, run: Callable[[argparse.Namespace], int], summary: str, examples: str
) -> Parser:
    """A parser for one command, with its help and what runs it."""
    parser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=f"examples:\n{examples}"
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def parse(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments; what no option takes is an error that proposes the nearest option."""
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        word = unknown[0].partition("=")[0]
        known = re.findall(r"--?[a-z][\w-]*", arguments.parser.format_usage())
        near = difflib.get_close_matches(word, known, n=1) if word.startswith("-") else []
        kind = "unknown option" if word.startswith("-") else "unexpected argument"
        raise UsageError(f"{kind} {word!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return arguments
