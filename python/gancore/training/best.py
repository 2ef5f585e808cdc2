"""Which checkpoint to keep for good: the one with the best score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gancore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Best"]


@dataclass(frozen=True)
class Best:
    """A metric, and which direction is better.

    Parameters
    ----------
    metric : str
        Name under which it enters the history.
    sign : int
        1 where less is better, -1 where more is.

    Examples
    --------
    >>> best = Best.parse("max:modes", {"modes"})
    >>> best.improved([{"step": 1, "modes": 3.0}, {"step": 2, "modes": 5.0}])
    True
    """

    metric: str
    sign: int

    @classmethod
    def parse(cls, text: str, metrics: Collection[str]) -> Best:
        """What ``fid``, ``min:fid`` or ``max:modes`` asks for.

        Raises
        ------
        ConfigError
            If the metric is not computed, or the direction is neither.
        """
        direction, colon, metric = text.rpartition(":")
        if colon and direction not in ("min", "max"):
            raise ConfigError(f"best: expected METRIC, 'min:METRIC' or 'max:METRIC', got {text!r}")
        if metric not in metrics:
            raise ConfigError(
                f"best: expected one of the metrics {', '.join(sorted(metrics)) or '(none)'}, got {text!r}"
            )
        return cls(metric, -1 if direction == "max" else 1)

    def improved(self, history: Sequence[dict[str, float]]) -> bool:
        """Whether the last entry has the best score so far."""
        scores = [self.sign * entry.get(self.metric, math.nan) for entry in history]
        known = [score for score in scores if math.isfinite(score)]
        return math.isfinite(scores[-1]) and all(scores[-1] < score for score in known[:-1])
