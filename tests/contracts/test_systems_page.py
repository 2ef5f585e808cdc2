"""docs/systems.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from gancore import registry
from gancore.systems._table import table

PAGE = (Path(__file__).parents[2] / "docs/systems.md").read_text(encoding="utf-8")


def test_the_table_of_systems_is_that_of_the_registry() -> None:
    """If not: ``python -c "from gancore.systems._table import table; print(table())"`` prints what to paste."""
    shown = PAGE.split("<!-- systems -->\n")[1].split("\n<!-- /systems -->")[0]
    assert shown == table()


def test_what_the_page_names_exists() -> None:
    named = re.findall(r"`(objectives|regularizers|games)\.(\w+)`", PAGE)
    assert len(named) > 20
    for axis, name in named:
        assert name in registry.names(axis)


def test_every_game_and_regulariser_is_on_the_page_or_on_that_of_games() -> None:
    games = (Path(__file__).parents[2] / "docs/games.md").read_text(encoding="utf-8")
    for axis in ("games", "regularizers"):
        for name in registry.names(axis):
            assert name in PAGE + games, f"{axis}/{name}.py is in no page"
