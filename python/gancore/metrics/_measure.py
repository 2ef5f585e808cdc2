"""One side of a comparison: the moments of its features and, if wanted, the features themselves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._progress import progress_bar
from gancore.errors import DomainError
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._sources import batches, opened

if TYPE_CHECKING:
    from gancore.metrics._look import Look, Rows

__all__ = ["Side", "measure"]


@dataclass(frozen=True)
class Side:
    """Moments of features, and the rows they are of where those were kept."""

    moments: FeatureMoments
    rows: Rows | None


def measure(source: Any, name: str, look: Look, *, n: int | None, batch_size: int, kept: bool, shown: bool) -> Side:
    """Look at all samples of a source, batch by batch; `n` is how many to draw from a function."""
    source = opened(source, name, n=n)
    if isinstance(source, FeatureMoments):
        return Side(source, None)
    moments, count = None, 0
    parts: list[Any] = []
    total = len(source) if hasattr(source, "shape") else None
    with progress_bar(f"features of {name}", total, shown=shown) as advance:
        for batch in batches(source, name, batch_size=batch_size, rows=look.rows, checked=look.checked):
            rows = look(batch, name)
            moments = moments or FeatureMoments(rows.shape[1])
            moments.update(rows)
            count += len(rows)
            if kept:
                parts.append(rows)
            advance(len(rows))
    if moments is None or count < 2:
        raise DomainError(f"{name}: expected at least 2 samples, got {count}")
    if count < 2 * moments.dim:
        warnings.warn(
            f"{name}: {count} samples are too few for {moments.dim} features; the distance is biased upwards, and "
            "compares only with one from as many samples",
            UserWarning,
            stacklevel=3,
        )
    # Of two rows none can be left out.
    return Side(moments, np.concatenate(parts) if kept and count > 2 else None)
