"""``--set key=value``: text becomes the type that a function's signature says."""

from __future__ import annotations

import inspect
from contextlib import suppress
from types import NoneType, SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from gancore.cli._failures import UsageError
from gancore.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Sequence

__all__ = ["add_settings", "coerced", "described"]

_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NOTHING = {"none": None, "null": None}


def add_settings(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the option."""
    parser.add_argument(
        "--set", metavar="KEY=VALUE", nargs="+", action="extend", default=[], help=f"{what}; may be given often"
    )


def coerced(pairs: Sequence[str], function: Callable[..., Any], *, taken: Collection[str] = ()) -> dict[str, Any]:
    """Keyword arguments of a function from ``key=value`` texts, each of the type that is annotated.

    `taken` names arguments that are not for a person to set.

    Raises
    ------
    ConfigError
        If a text is no ``key=value``, there is no such key, one comes twice, or a value is not of its type.
    """
    known = _choices(function, taken)
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not (equals and key):
            raise UsageError(f"argument --set: expected KEY=VALUE, got {pair!r}")
        if key in settings:
            raise UsageError(f"argument --set: {key} is given twice")
        if key not in known:
            raise UnknownNameError(f"{function.__name__} setting", key, known)
        settings[key] = _value(key, text.strip(), _resolved(known[key].annotation, function))
    return settings


def described(function: Callable[..., Any]) -> list[tuple[str, str, str]]:
    """Key, type and default of everything that can be set."""
    return [
        (key, _spelled(_options(_resolved(parameter.annotation, function))), _text(parameter.default))
        for key, parameter in _choices(function, ()).items()
    ]


def _choices(function: Callable[..., Any], taken: Collection[str]) -> dict[str, inspect.Parameter]:
    return {
        key: parameter
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key not in taken
    }


def _text(default: Any) -> str:
    """A default as it would be set."""
    return str(default).lower() if default is None or isinstance(default, bool) else str(default)


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """The type that one annotation means; the others may name what is imported for type checkers only."""
    names = inspect.unwrap(function).__globals__
    return get_type_hints(SimpleNamespace(__annotations__={"it": annotation}), globalns=names)["it"]


def _value(key: str, text: str, hint: Any) -> Any:
    options = _options(hint)
    # The narrowest first: "1" for int | float | str is an integer, "none" for str | None is nothing.
    for option in sorted(options, key=_breadth):
        with suppress(KeyError, ValueError):
            return _read(text, option)
    raise ConfigError(f"--set {key}: expected {_spelled(options)}, got {text!r}")


def _options(hint: Any) -> tuple[Any, ...]:
    """The types that a hint allows."""
    if hint is Any:
        return (NoneType, str)
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _breadth(option: Any) -> int:
    order = (NoneType, bool, int, float)
    return order.index(option) if option in order else len(order) + (option is str)


def _read(text: str, option: Any) -> Any:
    """The text as a value of one type; KeyError or ValueError if it is none."""
    if option is NoneType:
        return _NOTHING[text.lower()]
    if option is bool:
        return _TRUTH[text.lower()]
    if option in (int, float, str):
        return option(text)
    if get_origin(option) is Literal:
        return {str(value): value for value in get_args(option)}[text]
    raise ValueError


def _spelled(options: Sequence[Any]) -> str:
    words: list[str] = []
    for option in options:
        if get_origin(option) is Literal:
            words += [repr(value) for value in get_args(option)]
        elif option is NoneType:
            words.append("none")
        else:
            words.append("true or false" if option is bool else getattr(option, "__name__", str(option)))
    return " or ".join(words)
