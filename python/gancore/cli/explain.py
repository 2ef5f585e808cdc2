"""``gancore explain``: a system's recipe, equations and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gancore import systems
from gancore.cli._parser import add_command
from gancore.cli._settings import add_settings, coerced, described

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "explain",
        run=run,
        summary="explain a system: recipe, equations, BibTeX",
        examples="  gancore explain wgan_gp\n  gancore explain wgan_gp --set critic_steps=3",
    )
    parser.add_argument("system", metavar="SYSTEM", help="name of a system: see gancore list systems")
    add_settings(parser, "a choice of the system")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    recipe = systems.get(arguments.system)
    print(recipe(**coerced(arguments.set, recipe)).explain())
    print("\nChoices   --set KEY=VALUE")
    choices = list(described(recipe))
    keys, defaults = (max(len(choice[i]) for choice in choices) + 2 for i in (0, 2))
    for key, kind, default in choices:
        print(f"  {key:<{keys}}{default:<{defaults}}{kind}")
    return 0
