"""What is left of samples once a network has looked at them: statistics or features, with how they were made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from gancore._files import atomic_write
from gancore.datasets._numpy_file import read_arrays
from gancore.errors import DataError
from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gancore.metrics._look import Rows

__all__ = ["FeatureRows", "FeatureStatistics", "read_features"]

_FORMAT = 1
_ASYMMETRY = 1e-8


@final
@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Moments of features with the protocol that they were made by; made by :func:`feature_statistics` or :meth:`load`.

    Attributes
    ----------
    moments : FeatureMoments
        Count, mean and covariance.
    protocol : dict
        Network, sha256 of its weights, resize rule, range of values, counts, dtype, versions; empty if unknown.
    sample : ndarray of shape (m, d) or None
        Features of some samples drawn at random, for intervals; None in what comes from a file.
    """

    moments: FeatureMoments
    protocol: dict[str, Any] = field(default_factory=dict)
    sample: Rows | None = None

    def save(self, path: str | Path) -> None:
        """Write an .npz file: ``mu`` and ``sigma``, as pytorch-fid and clean-fid read them, ``n`` and the protocol.

        Raises
        ------
        OSError
            If it cannot be written; a file that was there before stays.
        """
        _write(path, self.moments.arrays(), self.protocol)

    @classmethod
    def load(cls, path: str | Path) -> FeatureStatistics:
        """Read what :meth:`save` wrote, or statistics of pytorch-fid or clean-fid, which tell no protocol.

        Raises
        ------
        DataError
            If the file is absent, truncated, or holds something else.
        """
        path = Path(path)
        return cls(_moments(path), _protocol(read_arrays(path), path))


@final
@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Features of samples with the protocol that they were made by; made by :func:`feature_rows` or :meth:`load`.

    Attributes
    ----------
    x : ndarray of shape (n, d)
        The features.
    protocol : dict
        As that of :class:`FeatureStatistics`.
    """

    x: Rows
    protocol: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.x)

    def save(self, path: str | Path) -> None:
        """Write an .npz file of ``x`` and the protocol.

        Raises
        ------
        OSError
            If it cannot be written; a file that was there before stays.
        """
        _write(path, {"x": self.x}, self.protocol)

    @classmethod
    def load(cls, path: str | Path) -> FeatureRows:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            If the file is absent, truncated, or holds something else.
        """
        path = Path(path)
        found = read_features(path, read_arrays(path))
        if not isinstance(found, cls):
            raise DataError(f"{path}: expected features that gancore saved, x and protocol")
        return found


def read_features(path: Path, members: Mapping[str, np.ndarray[Any, Any]]) -> FeatureStatistics | FeatureRows | None:
    """Statistics or features of a file's members; None if they are neither.

    Raises
    ------
    DataError
        If they are statistics that cannot be.
    """
    if {"mu", "sigma"} <= members.keys():
        return FeatureStatistics(_moments(path), _protocol(members, path))
    if {"x", "protocol"} <= members.keys():
        return FeatureRows(members["x"], _protocol(members, path))
    return None


def _moments(path: Path) -> FeatureMoments:
    moments = FeatureMoments.load(path)
    sigma = read_arrays(path)["sigma"]
    if np.abs(sigma - sigma.T).max() > _ASYMMETRY * max(np.abs(sigma.diagonal()).max(), np.finfo(float).tiny):
        raise DataError(f"{path}: sigma: expected a symmetric matrix")
    if sigma.diagonal().min() < 0:
        place = int(sigma.diagonal().argmin())
        raise DataError(f"{path}: sigma: expected variances, got {sigma[place, place]:g} at place {place}")
    return moments


def _protocol(members: Mapping[str, np.ndarray[Any, Any]], path: Path) -> dict[str, Any]:
    if "protocol" not in members:
        return {}
    text = members["protocol"]
    try:
        protocol = json.loads(str(text)) if text.dtype.kind == "U" and text.ndim == 0 else None
    except json.JSONDecodeError:
        protocol = None
    if not isinstance(protocol, dict):
        raise DataError(f"{path}: protocol: expected a JSON object, got {str(text)[:40]!r}")
    return protocol


def _write(path: str | Path, arrays: dict[str, Any], protocol: Mapping[str, Any]) -> None:
    text = np.array(json.dumps(protocol, sort_keys=True))
    with atomic_write(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, protocol=text, format_version=np.array(_FORMAT))
