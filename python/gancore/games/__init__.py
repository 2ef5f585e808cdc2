"""Games: who steps when, and on which losses."""

from __future__ import annotations

from gancore.games._interface import Game

__all__ = ["Game"]
