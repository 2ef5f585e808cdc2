"""One source as a stream of features, and the arguments by which all sources are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from gancore import _check
from gancore._progress import progress_bar
from gancore.errors import DomainError, ShapeError
from gancore.metrics._distributed import gathered, share_of, together
from gancore.metrics._draw import drawn
from gancore.metrics._look import as_rows
from gancore.metrics._protocol import AS_GIVEN, versions
from gancore.metrics._sources import batches, opened
from gancore.metrics._statistics import FeatureRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._look import Look, Rows

__all__ = ["UNSEEN", "Reading", "Stream", "stream_of"]

UNSEEN = "unknown"
"""The dtype of features that a process has not seen."""


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

    @property
    def shown(self) -> bool:
        """Whether this process shows progress."""
        return self.progress and share_of(distributed=self.distributed)[0] == 0

    def __post_init__(self) -> None:
        _check.integer("batch_size", self.batch_size, least=1)
        if self.n is not None:
            _check.integer("n", self.n, least=2)


def stream_of(source: Any, name: str, look: Look, reading: Reading, share: tuple[int, int], *, n: int | None) -> Stream:
    """A source opened by all processes; what has one name on all of them is shared out."""
    whole = isinstance(source, str) or hasattr(source, "__fspath__")
    names = gathered(str(source) if whole else None, share[1])
    alike = whole and len(set(names)) == 1
    return together(lambda: Stream(source, name, look, reading, share, shared_out=alike, n=n), share)


@final
class Stream:
    """The features of one source, batch by batch, and what is learned of it on the way."""

    def __init__(
        self,
        source: Any,
        name: str,
        look: Look,
        reading: Reading,
        share: tuple[int, int],
        *,
        shared_out: bool,
        n: int | None,
    ) -> None:
        self.source = opened(source, name, resize=reading.resize, skip_bad_images=reading.skip_bad_images)
        self._name, self._look, self._reading = name, look, reading
        self._image: list[int] | None = None
        self._dtype = UNSEEN
        # What is in memory is a process's own share.
        self._share = share if shared_out else (0, 1)
        self._total = len(self.source) if hasattr(self.source, "shape") else None
        if callable(self.source):
            if n is None:
                raise DomainError(f"{name}: say how many samples to draw: n=...")
            rank, world = share
            self._total = n // world + (rank < n % world)
            self.source = drawn(self.source, name, n=self._total, batch_size=reading.batch_size)

    def __iter__(self) -> Iterator[Rows]:
        name, look, count = self._name, self._look, 0
        if isinstance(self.source, FeatureRows):
            values = self.source.x[self._share[0] :: self._share[1]]
            for start in range(0, len(values), self._reading.batch_size):
                yield self._seen(as_rows(values[start : start + self._reading.batch_size], name, first=start))
            return
        size = self._reading.batch_size
        with progress_bar(f"features of {name}", self._total, shown=self._reading.shown) as advance:
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
