"""The command line: ``gancore train | doctor | sample | evaluate | fid | kid | prdc | list | explain``.

Each command is one file with ``add(commands)``, which declares its arguments, and ``run(arguments)``, which returns
the exit code. Results go to stdout; progress, warnings and errors to stderr.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import gancore
from gancore.cli._failures import UsageError, reported
from gancore.cli._parser import Parser, parse
from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]

COMMANDS = ("train", "doctor", "sample", "evaluate", "fid", "kid", "prdc", "list", "explain")
"""The commands, in the order of the help; each is the file of that name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process, if not given.

    Returns
    -------
    int
        0; 2 for a usage or input error and 1 for a failure, each said in one line on stderr; 130 after Ctrl-C.

    Examples
    --------
    >>> main(["list", "games"])
    games
      alternating  ...
    0
    """
    # Small networks on a busy machine spend their time in OpenMP's barriers if waiting threads spin: let them sleep. It
    # is read when torch is loaded, which no command has done yet.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # `list` is a command here: once it is imported, the name is that module.
    words = sys.argv[1:] if argv is None else [*argv]
    program = f"gancore {words[0]}" if words and words[0] in COMMANDS else "gancore"
    return reported(program, lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        raise UnknownNameError("command", words[0], COMMANDS)
    arguments = parse(_parser(), words)
    if arguments.run is None:
        raise UsageError(f"expected a command: {', '.join(COMMANDS)}")
    code: int = arguments.run(arguments)
    # A reader that has gone away is noticed here and not after main has returned.
    sys.stdout.flush()
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="gancore",
        description="Train, sample from and judge generative adversarial models.",
        epilog="""\
examples:
  gancore train dcgan --data digits --out runs/digits
  gancore sample runs/digits -n 64 --sampler ddls -o grid.png
  gancore evaluate runs/digits
  gancore fid photos/ fakes/

Each command has its own help: gancore train --help
GANCORE_DEBUG=1 shows where in the program an error came from.
""",
    )
    parser.add_argument("--version", action="version", version=f"gancore {gancore.__version__}")
    parser.set_defaults(run=None, parser=parser)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name in COMMANDS:
        importlib.import_module(f"gancore.cli.{name}").add(commands)
    return parser
