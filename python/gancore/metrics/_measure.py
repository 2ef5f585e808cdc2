"""Samples through a network, batch by batch: into moments, or into rows of features."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.errors import DomainError, DTypeError, SampleSizeWarning, ShapeError
from gancore.kernels.moments import FeatureMoments
from gancore.metrics._distributed import gathered, merged, share_of, together
from gancore.metrics._look import Look
from gancore.metrics._sample import RowSample, sample_size, sampled
from gancore.metrics._statistics import FeatureRows, FeatureStatistics
from gancore.metrics._stream import UNSEEN, Reading, stream_of

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.metrics._look import Rows

__all__ = ["Reading", "look_through", "rows_of", "rows_or_statistics_of", "statistics_of"]


def look_through(
    features: Any, device: Any, reading: Reading, *, weights: str | Path | None = None, download: bool = False
) -> Look:
    """The look at samples; a process that cannot have it tells the others."""
    return together(
        lambda: Look(features, device, resize=reading.resize, weights=weights, download=download),
        share_of(distributed=reading.distributed),
    )


def statistics_of(
    source: Any, name: str, look: Look, reading: Reading, *, sample: bool, n: int | None = None
) -> FeatureStatistics:
    """Moments of all samples of a source, with a random sample of rows if wanted; `n` is how many a function draws."""
    share = share_of(distributed=reading.distributed)
    stream = stream_of(source, name, look, reading, share, n=n)
    if isinstance(stream.source, FeatureStatistics):
        _require_equal(stream.source, name, share)
        return stream.source

    def look_at_all() -> tuple[FeatureMoments | None, Rows | None]:
        moments, kept = None, None
        with look.at_rest():
            for rows in stream:
                if moments is None:
                    moments = FeatureMoments(rows.shape[1])
                    kept = RowSample(sample_size(moments.dim), [reading.seed, *name.encode(), share[0]])
                moments.update(rows)
                if sample and kept is not None:
                    kept.update(rows)
        return moments, kept.rows() if kept else None

    moments, rows = together(look_at_all, share)
    if share[1] > 1:
        # A process without samples takes part in what the others sum.
        dim = max(gathered(moments.dim if moments else 0, share[1]))
        if dim and moments is None:
            moments = FeatureMoments(dim)
    if moments is None:
        raise DomainError(f"{name}: expected at least 2 samples, got 0")
    mine, moments = moments.count or 0, merged(moments, share)
    kept = sampled(rows, mine, sample_size(moments.dim), share[1])
    count = moments.count or 0
    _require_enough(count, name, moments.dim)
    return FeatureStatistics(moments, _agreed(stream.protocol(count, moments.dim), share), kept)


def rows_of(source: Any, name: str, look: Look, reading: Reading, *, n: int | None = None) -> FeatureRows:
    """Features of all samples of a source, of every process where there are several."""
    found = rows_or_statistics_of(source, name, look, reading, n=n)
    if isinstance(found, FeatureStatistics):
        raise DTypeError(f"{name}: expected samples or features; statistics hold only their mean and covariance")
    return found


def rows_or_statistics_of(
    source: Any, name: str, look: Look, reading: Reading, *, n: int | None = None
) -> FeatureRows | FeatureStatistics:
    """Features of all samples of a source, or the statistics that it is."""
    share = share_of(distributed=reading.distributed)
    stream = stream_of(source, name, look, reading, share, n=n)
    if isinstance(stream.source, FeatureStatistics):
        _require_equal(stream.source, name, share)
        return stream.source

    def look_at_all() -> list[Rows]:
        with look.at_rest():
            return list(stream)

    found = together(look_at_all, share)
    mine: Any = np.concatenate(found) if found else np.empty((0, 0))
    parts = [part for part in gathered(mine, share[1]) if len(part)]
    if len({part.shape[1] for part in parts}) > 1:
        raise ShapeError(f"{name}: expected as many features on every process, got {[p.shape[1] for p in parts]}")
    rows: Any = np.concatenate(parts) if parts else mine
    if len(rows) < 2:
        raise DomainError(f"{name}: expected at least 2 samples, got {len(rows)}")
    return FeatureRows(rows, _agreed(stream.protocol(*rows.shape), share))


def _agreed(protocol: dict[str, Any], share: tuple[int, int]) -> dict[str, Any]:
    """The protocol of the first process that saw a sample, the same on all."""
    protocols = gathered(protocol, share[1])
    return next((found for found in protocols if not found["dtype"].startswith(UNSEEN)), protocol)


def _require_enough(count: int, name: str, dim: int) -> None:
    if count < 2:
        raise DomainError(f"{name}: expected at least 2 samples, got {count}")
    if count < 2 * dim:
        warnings.warn(
            f"{name}: {count} samples are too few for {dim} features; the distance is biased upwards, and "
            "compares only with one from as many samples",
            SampleSizeWarning,
            stacklevel=4,
        )


def _require_equal(statistics: FeatureStatistics, name: str, share: tuple[int, int]) -> None:
    """Statistics are of the whole, so that all processes must have the same."""
    moments = statistics.moments
    seen = gathered((moments.count, np.asarray(moments.mean).tobytes()), share[1])
    if len(set(seen)) > 1:
        raise DomainError(
            f"{name}: the processes have different statistics; merge those of their shares first: "
            "FeatureMoments.merge, to_dict and from_dict"
        )
