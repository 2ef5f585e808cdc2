"""Samples through a network, batch by batch: into moments, or into rows of features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from gancore import _check
from gancore._progress import progress_bar
from gancore.errors import DomainError, DTypeError, SampleSizeWarning, ShapeError
from gancore.metrics._distributed import gathered, merged, share_of, together
from gancore.metrics._draw import drawn
from gancore.metrics._groups import Groups, group_count
from gancore.metrics._look import as_rows
from gancore.metrics._protocol import AS_GIVEN, versions
from gancore.metrics._sources import batches, opened
from gancore.metrics._statistics import FeatureRows, FeatureStatistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._look import Look, Rows

__all__ = ["Reading", "rows_of", "rows_or_statistics_of", "statistics_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Reading:
    """How sources are read; the arguments that all metrics share."""

    batch_size: int
    n: int | None
    resize: ImageSize | None
    skip_bad_images: bool
    seed: int
    distributed: bool
    progress: bool

    def __post_init__(self) -> None:
        _check.integer("batch_size", self.batch_size, least=1)
        if self.n is not None:
            _check.integer("n", self.n, least=2)


def statistics_of(
    source: Any, name: str, look: Look, reading: Reading, *, grouped: bool, n: int | None = None
) -> FeatureStatistics:
    """Moments of all samples of a source, in groups if wanted; `n` is how many to draw from a function."""
    share = share_of(distributed=reading.distributed)
    stream = together(lambda: _Stream(source, name, look, reading, share, n=n), share)
    if isinstance(stream.source, FeatureStatistics):
        _require_equal(stream.source, name, share)
        return stream.source

    def look_at_all() -> Groups | None:
        groups = None
        with look.at_rest():
            for rows in stream:
                if groups is None:
                    k = group_count(rows.shape[1]) if grouped else 0
                    groups = Groups(rows.shape[1], k, [reading.seed, *name.encode(), share[0]])
                groups.update(rows)
        return groups

    groups = together(look_at_all, share)
    if share[1] > 1:
        # A process without samples takes part in what the others sum.
        dim = max(gathered(groups.whole.dim if groups else 0, share[1]))
        if dim and groups is None:
            groups = Groups(dim, group_count(dim) if grouped else 0, [0])
    if groups is None:
        raise DomainError(f"{name}: expected at least 2 samples, got 0")
    whole, *moments = merged([groups.whole, *groups.moments], share)
    count = whole.count or 0
    _require_enough(count, name, whole.dim)
    return FeatureStatistics(whole, stream.protocol(count, whole.dim), tuple(moments))


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
    stream = together(lambda: _Stream(source, name, look, reading, share, n=n), share)
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
    return FeatureRows(rows, stream.protocol(*rows.shape))


@final
class _Stream:
    """The features of one source, batch by batch, and what is learned of it on the way."""

    def __init__(
        self, source: Any, name: str, look: Look, reading: Reading, share: tuple[int, int], *, n: int | None
    ) -> None:
        self.source = opened(source, name, resize=reading.resize, skip_bad_images=reading.skip_bad_images)
        self._name, self._look, self._reading = name, look, reading
        self._image: list[int] | None = None
        self._dtype = "unknown"
        # A name is of the whole, which the processes share; what is in memory is a process's own share.
        whole = isinstance(source, str) or hasattr(source, "__fspath__")
        alike = whole and len(set(gathered(str(source), share[1]))) == 1
        self._share = share if alike else (0, 1)
        self._rank = share[0]
        self._total = len(self.source) if hasattr(self.source, "shape") else None
        if callable(self.source):
            if n is None:
                raise DomainError(f"{name}: say how many samples to draw: n=...")
            rank, world = share
            self._total = n // world + (rank < n % world)
            self.source = drawn(self.source, name, n=self._total, batch_size=reading.batch_size)

    def __iter__(self) -> Iterator[Rows]:
        name, look, count = self._name, self._look, 0
        shown = self._reading.progress and self._rank == 0
        if isinstance(self.source, FeatureRows):
            values = self.source.x[self._share[0] :: self._share[1]]
            for start in range(0, len(values), self._reading.batch_size):
                yield self._seen(as_rows(values[start : start + self._reading.batch_size], name, first=start))
            return
        size = self._reading.batch_size
        with progress_bar(f"features of {name}", self._total, shown=shown) as advance:
            for batch in batches(self.source, name, look, batch_size=size, share=self._share):
                if not len(batch):
                    continue
                images = look.fitted(batch, name)
                self._require_one_size(images)
                rows = self._seen(look(images, name, count))
                count += len(rows)
                yield rows
                advance(len(rows))

    def protocol(self, n: int, dim: int) -> dict[str, Any]:
        """How these features were made."""
        known = isinstance(self.source, FeatureRows)
        found = dict(self.source.protocol) if known else dict(self._look.protocol)
        found.setdefault("features", AS_GIVEN)
        if self._image is not None:
            found["image"] = self._image
        found["versions"] = {**found.get("versions", {}), **versions()}
        return {**found, "dim": dim, "n": n, "dtype": f"{self._dtype} features, float64 moments"}

    def _seen(self, rows: Rows) -> Rows:
        self._dtype = str(rows.dtype)
        return rows

    def _require_one_size(self, images: Any) -> None:
        if not self._look.checked or images.ndim != 4:
            return
        shape = list(images.shape[1:])
        if self._image is not None and shape != self._image:
            sizes = " and ".join("x".join(map(str, size)) for size in (self._image, shape))
            raise ShapeError(f"{self._name}: images of different sizes, {sizes}; give resize=... to bring all to one")
        self._image = shape


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
