"""Features of samples, computed once for any number of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gancore.metrics._measure import Reading, look_through, rows_of, statistics_of

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.datasets._pixels import ImageSize
    from gancore.metrics._statistics import FeatureRows, FeatureStatistics

__all__ = ["feature_rows", "feature_statistics"]


def feature_statistics(
    source: Any,
    *,
    features: Any = None,
    batch_size: int = 256,
    device: Any = None,
    n: int | None = None,
    resize: ImageSize | None = None,
    weights: str | Path | None = None,
    download: bool = False,
    skip_bad_images: bool = False,
    interval: bool = True,
    seed: int = 0,
    distributed: bool = True,
    progress: bool = True,
    name: str = "source",
) -> FeatureStatistics:
    """Moments of a source's features with their protocol, to be saved and compared by :func:`fid`.

    Parameters
    ----------
    source, features, batch_size, device, n, resize, weights, download, skip_bad_images, seed, distributed, progress
        As :func:`fid` takes them.
    interval : bool
        Keep a random sample of features, which the interval of :func:`fid` needs; a file does not hold it.

    name : str
        What errors call the source.

    Returns
    -------
    FeatureStatistics

    Raises
    ------
    DataError, ShapeError, DTypeError, DomainError, BackendError
        As :func:`fid`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gancore.datasets import load
    >>> statistics = feature_statistics(load("ring"))
    >>> path = Path(tempfile.mkdtemp()) / "ring.npz"
    >>> statistics.save(path)
    >>> type(statistics).load(path).protocol["n"]
    100000
    """
    reading = Reading(
        batch_size=batch_size,
        n=n,
        resize=resize,
        skip_bad_images=skip_bad_images,
        seed=seed,
        distributed=distributed,
        progress=progress,
    )
    look = look_through(features, device, reading, weights=weights, download=download)
    return statistics_of(source, name, look, reading, sample=interval, n=n)


def feature_rows(
    source: Any,
    *,
    features: Any = None,
    batch_size: int = 256,
    device: Any = None,
    n: int | None = None,
    resize: ImageSize | None = None,
    weights: str | Path | None = None,
    download: bool = False,
    skip_bad_images: bool = False,
    distributed: bool = True,
    progress: bool = True,
    name: str = "source",
) -> FeatureRows:
    """Features of a source, 4 n d bytes of them, with their protocol: for several metrics of the same samples.

    Parameters
    ----------
    source, features, batch_size, device, n, resize, weights, download, skip_bad_images, distributed, progress
        As :func:`fid` takes them.
    name : str
        What errors call the source.

    Returns
    -------
    FeatureRows

    Raises
    ------
    DataError, ShapeError, DTypeError, DomainError, BackendError
        As :func:`fid`; also if the source holds statistics only.

    Examples
    --------
    >>> from gancore.datasets import load
    >>> rows = feature_rows(load("ring"))
    >>> rows.x.shape, rows.protocol["features"]
    ((100000, 2), 'rows as given')
    """
    reading = Reading(
        batch_size=batch_size,
        n=n,
        resize=resize,
        skip_bad_images=skip_bad_images,
        seed=0,
        distributed=distributed,
        progress=progress,
    )
    look = look_through(features, device, reading, weights=weights, download=download)
    return rows_of(source, name, look, reading, n=n)
