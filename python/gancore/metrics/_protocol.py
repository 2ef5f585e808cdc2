"""How features were made, in words that travel with every score, and whether two sides were made alike."""

from __future__ import annotations

import sys
import warnings
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import __version__
from gancore.errors import ProtocolError, ProtocolWarning

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AS_GIVEN", "described", "require_one_protocol", "score_protocol", "sentence", "versions"]

AS_GIVEN = "rows as given"
"""What is said of features that somebody else computed."""

_DECIDING = ("features", "layer", "weights_sha256", "image", "resize", "value_range")
"""What must be equal on both sides: any of these moves scores by more than generators differ."""


def versions() -> dict[str, str]:
    """Versions of what computes; torch and Pillow only where they are loaded."""
    found = {"gancore": __version__, "numpy": np.__version__}
    for module, name in (("torch", "torch"), ("PIL", "pillow")):
        if sys.modules.get(module) is not None:
            found[name] = metadata.version(name)
    return found


def require_one_protocol(real: Mapping[str, Any], fake: Mapping[str, Any], *, allowed: bool) -> list[str]:
    """What differs between the sides, in words; an error unless that is allowed.

    Raises
    ------
    ProtocolError
        If both sides say how they were made, and not in the same way.
    """
    if AS_GIVEN in (real.get("features"), fake.get("features")):
        return []
    if bool(real) != bool(fake):
        side, other = ("real", fake) if fake else ("fake", real)
        warnings.warn(
            f"{side}: these statistics do not tell how they were made; the score means something only if that was "
            f"{described(other)}",
            ProtocolWarning,
            stacklevel=4,
        )
        return []
    differences = [
        f"{key.replace('_', ' ')}: {_short(real[key])} (real), {_short(fake[key])} (fake)"
        for key in _DECIDING
        if real.get(key) is not None and fake.get(key) is not None and real[key] != fake[key]
    ]
    if differences and not allowed:
        raise ProtocolError(
            f"real, fake: made in different ways, so that no score of them means anything: {'; '.join(differences)}; "
            "make both alike, or say allow_different_protocols=True, --allow-different-protocols"
        )
    return differences


def score_protocol(
    metric: str, real: Mapping[str, Any], fake: Mapping[str, Any], differences: list[str], **settings: Any
) -> dict[str, Any]:
    """What travels with a score of two sides."""
    found = {"metric": metric, **_combined(real, fake), **settings}
    found.pop("n", None)
    return {**found, "differences": differences} if differences else found


def _combined(real: Mapping[str, Any], fake: Mapping[str, Any]) -> dict[str, Any]:
    """One protocol of both sides; where they differ, both are named."""
    merged = {**real, **fake, "versions": {**real.get("versions", {}), **fake.get("versions", {}), **versions()}}
    for key in _DECIDING:
        left, right = real.get(key), fake.get(key)
        if left != right and not (left is None and not real) and not (right is None and not fake):
            merged[key] = f"{_short(left)} (real), {_short(right)} (fake)"
    return merged


def described(protocol: Mapping[str, Any]) -> str:
    """A protocol in one line.

    Examples
    --------
    >>> described({"features": "Net", "weights_sha256": "0123456789abcdef", "resize": "none"})
    'features Net, weights 01234567, resize none'
    """
    if not protocol:
        return "an unknown protocol"
    words = [f"features {protocol.get('features', 'unknown')}"]
    if protocol.get("weights_sha256"):
        words.append(f"weights {_short(protocol['weights_sha256'])}")
    words += [f"{key} {_short(protocol[key])}" for key in ("layer", "image", "resize") if protocol.get(key) is not None]
    return ", ".join(words)


def sentence(name: str, score: str, interval: tuple[float, float] | None, protocol: Mapping[str, Any]) -> str:
    """A score with its interval, counts and protocol in one line."""
    spread = "no interval" if interval is None else f"[{interval[0]:.6g}, {interval[1]:.6g}]"
    counts = " and ".join("?" if protocol.get(key) is None else f"{protocol[key]:,}" for key in ("n_real", "n_fake"))
    return f"{name} {score} {spread}; {counts} samples; {described(protocol)}"


def _short(value: Any) -> str:
    """A digest by its first digits, a shape as people write it."""
    if isinstance(value, list):
        return "x".join(map(str, value))
    text = str(value)
    return text[:8] if len(text) in (16, 64) and set(text) <= set("0123456789abcdef") else text
