"""All systems side by side, as the docs show them."""

from __future__ import annotations

import re

from gancore import registry, systems
from gancore.systems._describe import recipe

__all__ = ["table"]

_COLUMNS = ("objective", "regularizers", "networks", "game")


def table() -> str:
    """A Markdown table: for each registered system its choice on every axis, by default, and the BibTeX key and year.

    Examples
    --------
    >>> print(table().splitlines()[0])
    | system | objective | regularizers | networks | game | published as |
    """
    lines = [f"| system | {' | '.join(_COLUMNS)} | published as |", "|" + "---|" * (len(_COLUMNS) + 2)]
    for name in registry.names("systems"):
        system = systems.get(name)()
        choices = recipe(system)
        # Names alone: settings make a table unreadable, and `gancore explain` has them.
        cells = [re.sub(r"\([^()]*\)", "", choices[column]) for column in _COLUMNS]
        found = re.match(r"@\w+\{(\w+),", system.reference)
        lines.append(f"| `{name}` | {' | '.join(cells)} | {found[1] if found else ''} |")
    return "\n".join(lines)
