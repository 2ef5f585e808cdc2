"""A family by name, with the settings that were given for it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from gancore import registry
from gancore.errors import IncompatibleChoiceError

if TYPE_CHECKING:
    from gancore.networks._interface import NetworkFamily

__all__ = ["choose"]


def choose(name: str, **settings: object) -> NetworkFamily:
    """Make a registered family of networks; settings that are None stay at the family's own default.

    Parameters
    ----------
    name : str
        Name on the axis ``networks``.
    **settings : object
        Fields of the family.

    Returns
    -------
    NetworkFamily

    Raises
    ------
    UnknownNameError
        If there is no such family.
    IncompatibleChoiceError
        If the family has no such setting.

    Examples
    --------
    >>> choose("mlp", width=64, depth=None)
    MLP(width=64, depth=3, critic_norm='none', critic_minibatch='none')
    """
    family = registry.get("networks", name)
    given = {key: value for key, value in settings.items() if value is not None}
    known = [field.name for field in fields(family) if field.init]
    for key in given.keys() - set(known):
        raise IncompatibleChoiceError(f"{key}: the {name} networks have no such setting, only {', '.join(known)}")
    made: NetworkFamily = family(**given)
    return made
