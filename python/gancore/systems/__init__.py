"""Published systems, each a recipe: one function whose keyword arguments are its choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore import registry
from gancore._extras import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.systems._interface import System

__all__ = ["System", "get", "names"]


def names() -> tuple[str, ...]:
    """Names of the registered systems, sorted.

    Examples
    --------
    >>> "wgan_gp" in names()
    True
    """
    return registry.names("systems")


def get(name: str) -> Callable[..., System]:
    """The recipe of a system: a function from choices, by keyword, to the system.

    Parameters
    ----------
    name : str
        Name of a registered system; a hyphen counts as an underscore.

    Returns
    -------
    function
        Its signature lists the choices with their types and defaults. A choice that does not exist or has the wrong
        type raises :class:`~gancore.errors.ConfigError`; one out of range :class:`~gancore.errors.DomainError`.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such system.

    Examples
    --------
    >>> get("wgan")(critic_steps=3).game
    Alternating(critic_steps=3)
    """
    require("torch", extra="train")
    recipe: Callable[..., System] = registry.get("systems", name)
    return recipe


def __getattr__(name: str) -> Any:
    if name == "System":
        from gancore.systems._interface import System

        return System
    raise AttributeError(f"module 'gancore.systems' has no attribute {name!r}")
