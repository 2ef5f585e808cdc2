"""What turns a function with settings into a recipe: checked choices that the system remembers."""

from __future__ import annotations

import difflib
import functools
import inspect
from dataclasses import replace
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Union, cast, get_args, get_origin, get_type_hints

from gancore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.systems._interface import System

__all__ = ["recipe"]

P = ParamSpec("P")


def recipe(function: Callable[P, System]) -> Callable[P, System]:
    """Check the choices against the function's signature, and write name and choices into the system it returns."""
    signature = inspect.signature(function)

    hints = get_type_hints(function)

    def build(**choices: Any) -> System:
        for key, value in choices.items():
            if key not in signature.parameters:
                raise ConfigError(_unknown(function.__name__, key, list(signature.parameters)))
            if not _fits(value, hints[key]):
                expected = inspect.formatannotation(hints[key])
                raise ConfigError(f"{function.__name__}: {key}: expected {expected}, got {value!r}")
        complete = {key: choices.get(key, p.default) for key, p in signature.parameters.items()}
        return replace(cast("Callable[..., System]", function)(**complete), name=function.__name__, choices=complete)

    return cast("Callable[P, System]", functools.wraps(function)(build))


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if hint in (None, NoneType):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))


def _unknown(name: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(known)}"
    return f"{name}: unknown choice {key!r}; {hint}"
