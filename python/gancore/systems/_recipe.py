"""What turns a function with settings into a recipe: checked choices that the system remembers."""

from __future__ import annotations

import difflib
import functools
import inspect
from dataclasses import replace
from types import UnionType
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
    name = function.__name__

    def build(**given: Any) -> System:
        choices = {key: parameter.default for key, parameter in signature.parameters.items()}
        for key, value in given.items():
            if key not in choices:
                raise ConfigError(_unknown(name, key, list(choices)))
            if not _fits(value, hints[key]):
                raise ConfigError(f"{name}: {key}: expected {inspect.formatannotation(hints[key])}, got {value!r}")
            # One number, one way to write it: recipes are compared as text.
            choices[key] = float(value) if type(value) is int and float in _kinds(hints[key]) else value
        return replace(cast("Callable[..., System]", function)(**choices), name=name, choices=choices)

    return cast("Callable[P, System]", functools.wraps(function)(build))


def _fits(value: object, hint: Any) -> bool:
    return any(_is_a(value, kind) for kind in _kinds(hint))


def _is_a(value: object, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _unknown(name: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(known)}"
    return f"{name}: unknown choice {key!r}; {hint}"
