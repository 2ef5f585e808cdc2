"""Both sides of a comparison, read in the same way and made in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from gancore.errors import ShapeError
from gancore.metrics._protocol import require_one_protocol
from gancore.metrics._statistics import FeatureStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.metrics._look import Look
    from gancore.metrics._measure import Reading
    from gancore.metrics._statistics import FeatureRows

__all__ = ["count_of", "read_both"]

_Side = TypeVar("_Side", "FeatureStatistics", "FeatureRows")


def read_both(
    read: Callable[..., _Side], real: Any, fake: Any, look: Look, reading: Reading, *, allowed: bool
) -> tuple[_Side, _Side, list[str]]:
    """The real and the fake side, by `read(source, name, look, reading, n=...)`, and what differs in their protocols.

    Raises
    ------
    ShapeError
        If they have not as many features.
    ProtocolError
        If they were made in different ways and that is not allowed.
    """
    reals = read(real, "real", look, reading, n=reading.n)
    if reals.protocol and not look.rows:
        # Statistics of another network are refused before anybody waits for the fakes.
        require_one_protocol(reals.protocol, look.protocol, allowed=allowed)
    fakes = read(fake, "fake", look, reading, n=count_of(reals) if reading.n is None else reading.n)
    differences = require_one_protocol(reals.protocol, fakes.protocol, allowed=allowed)
    dims = [_dim_of(side) for side in (reals, fakes)]
    if dims[0] != dims[1]:
        raise ShapeError(f"fake: expected {dims[0]} features, as real has, got {dims[1]}")
    return reals, fakes, differences


def count_of(side: FeatureStatistics | FeatureRows) -> int | None:
    """Samples of a side; None for statistics that do not tell."""
    return side.moments.count if isinstance(side, FeatureStatistics) else len(side)


def _dim_of(side: FeatureStatistics | FeatureRows) -> int:
    return side.moments.dim if isinstance(side, FeatureStatistics) else int(side.x.shape[1])
