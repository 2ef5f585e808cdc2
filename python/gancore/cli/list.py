"""``gancore list``: what there is to choose from, axis by axis, without importing any of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gancore import registry
from gancore.cli._parser import add_command

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "list",
        run=run,
        summary="list systems, objectives, samplers and all else there is to choose from",
        examples="  gancore list\n  gancore list systems\n  gancore list metrics --json",
    )
    parser.add_argument("axis", metavar="AXIS", nargs="?", help=f"one of {', '.join(registry.AXES)}; all if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object: axis, name, description")


def run(arguments: argparse.Namespace) -> int:
    """Print names and descriptions."""
    axes = registry.AXES if arguments.axis is None else (arguments.axis,)
    found = {axis: {name: registry.describe(axis, name) for name in registry.names(axis)} for axis in axes}
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    width = max((len(name) for names in found.values() for name in names), default=0)
    sections = (
        "\n".join([axis, *(f"  {name:<{width}}  {line}" for name, line in names.items())])
        for axis, names in found.items()
    )
    print("\n\n".join(sections))
    return 0
