"""A system in words: recipe, equations, references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gancore import registry

if TYPE_CHECKING:
    from gancore.systems._interface import System

__all__ = ["explain", "recipe"]


def recipe(system: System) -> dict[str, str]:
    """The choice on each axis with all its settings."""
    return {
        "objective": _text(system.objective),
        "regularizers": ", ".join(map(_text, system.regularizers)) or "none",
        "networks": _text(system.networks),
        "game": _text(system.game),
        "generator_optimizer": repr(system.generator_optimizer),
        "critic_optimizer": repr(system.critic_optimizer),
        "latent": f"{system.latent_dim} x {system.prior}",
        "batch_size": str(system.batch_size),
        "ema": str(system.ema),
    }


def explain(system: System) -> str:
    """Recipe, equations and BibTeX as one text."""
    known = system.name in registry.names("systems")
    title = registry.describe("systems", system.name) if known else "A system put together by hand."
    parts = (system.objective, *system.regularizers)
    references = [system.reference, *(p.reference for p in (*parts, system.networks, system.game))]
    lines = [f"{system.name}: {title}", "", "Recipe"]
    lines += [f"  {axis.replace('_', ' '):<21}{choice}" for axis, choice in recipe(system).items()]
    lines += ["", "Equations   x real, z latent, G(z) fake, d the critic's output"]
    lines += [f"  {equation}" for part in parts for equation in part.equations]
    lines += ["", "References", *dict.fromkeys(filter(None, references))]
    return "\n".join(lines)


def _text(choice: object) -> str:
    """The registered name with the settings: ``gradient_penalty(weight=10.0, ...)``."""
    name = type(choice).__module__.rpartition(".")[2]
    return name + repr(choice).removeprefix(type(choice).__qualname__)
