"""Streaming mean and covariance of feature vectors, in float64 accuracy, merged exactly."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from gancore import _rust
from gancore._files import atomic_write
from gancore.errors import BackendError, DataError, DomainError, DTypeError, ShapeError
from gancore.kernels._dispatch import is_tensor, to_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gancore.kernels._dispatch import Array

__all__ = ["FeatureMoments"]

_PARTS = ("mean", "origin", "offset", "scatter", "pending")


@final
class FeatureMoments:
    r"""Count, mean and covariance of rows that come in batches of any size.

    .. math::
        \mu = \frac1n \sum_i x_i, \qquad \Sigma = \frac{1}{n-1} \sum_i (x_i - \mu)(x_i - \mu)^\top

    Blocks of 1151 rows are centred by their own mean and combined, so no digits are lost however far the mean is from
    zero, and small batches cost no more than large ones. The first update decides where the state lives: NumPy arrays
    and CPU tensors are summed by the compiled kernel, CUDA tensors on their device.

    Parameters
    ----------
    dim : int
        Features of a row.

    Raises
    ------
    DomainError
        If `dim` is not positive.

    Notes
    -----
    O(n d^2) time; memory for one d x d matrix and one block. Chan, Golub and LeVeque, *Updating formulae and a pairwise
    algorithm for computing sample variances* (1979), eq. 2.1.

    Examples
    --------
    >>> moments = FeatureMoments(2)
    >>> moments.update([[0.0, 1.0], [2.0, 1.0]])
    >>> moments.update([[4.0, 4.0]])
    >>> moments.count, moments.mean.tolist(), moments.covariance.tolist()
    (3, [2.0, 2.0], [[4.0, 3.0], [3.0, 3.0]])
    """

    def __init__(self, dim: int) -> None:
        if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
            raise DTypeError(f"`dim` must be an integer; got {dim!r}")
        if dim < 1:
            raise DomainError(f"`dim` must be at least 1; got {dim}")
        self._dim = int(dim)
        self._state: Any = _rust.Moments(self._dim)
        self._rounding = float(np.finfo(np.float64).eps)
        self._stored: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None

    @property
    def dim(self) -> int:
        """Features of a row."""
        return self._dim

    @property
    def count(self) -> int | None:
        """Rows seen; None for statistics from a file that does not say how many."""
        return None if self._stored else int(self._state.count)

    @property
    def mean(self) -> Array:
        """Mean of shape (dim,), float64; raises DomainError before the first row."""
        return self._stored[0] if self._stored else self._state.mean()

    @property
    def covariance(self) -> Array:
        """Covariance of shape (dim, dim), float64, with denominator n - 1; raises DomainError before the second row."""
        return self._stored[1] if self._stored else self._state.covariance()

    @property
    def rounding(self) -> float:
        """Relative precision of mean and covariance: that of float32 for statistics from a float32 file."""
        return self._rounding

    def update(self, features: Array) -> None:
        """Take in rows.

        Parameters
        ----------
        features : array of shape (n, dim), float32 or float64
            A tensor's gradient is not recorded.

        Raises
        ------
        ShapeError
            If the rows are of another length.
        DomainError
            If a feature is nan or infinite; the message names row and column, and no row is taken in.
        BackendError
            If the rows lie on another device than those before.
        """
        self._require_count("features")
        rows: Any = features
        if is_tensor(rows) and rows.device.type != "cpu":
            from gancore.kernels._torch.moments import Moments

            if isinstance(self._state, _rust.Moments) and self._state.count == 0:
                self._state = Moments(self._dim, rows.device)
            if isinstance(self._state, _rust.Moments):
                raise BackendError(f"`features` must lie on the CPU, as those before; got {rows.device}")
            self._state.insert(rows)
            return
        if not isinstance(self._state, _rust.Moments):
            raise BackendError(f"`features` must lie on {self._state.device}, as those before; got the CPU")
        self._state.insert(to_numpy("features", features))

    def merge(self, other: FeatureMoments) -> FeatureMoments:
        """The statistics of all rows of both; neither is changed.

        Raises
        ------
        ShapeError
            If the features are not as many.
        DomainError
            If one comes from a file that does not say how many rows it is of.
        BackendError
            If they lie on different devices.

        Examples
        --------
        >>> left, right = FeatureMoments(1), FeatureMoments(1)
        >>> left.update([[0.0], [1.0]]); right.update([[5.0]])
        >>> left.merge(right).mean.tolist()
        [2.0]
        """
        self._require_count("self")
        other._require_count("other")
        if other.dim != self.dim:
            raise ShapeError(f"`other` must have {self.dim} features; got {other.dim}")
        if type(other._state) is not type(self._state):
            raise BackendError("`other` must lie on the same device; one is on the CPU, the other is not")
        merged = FeatureMoments(self.dim)
        merged._state = self._state.combine(other._state)
        merged._rounding = max(self.rounding, other.rounding)
        return merged

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What :meth:`save` writes: `mu`, `sigma` and, where it is known, `n`; float32 if that is their precision.

        Raises
        ------
        DomainError
            If there are fewer than two rows.
        """
        dtype = np.float32 if self.rounding > np.finfo(np.float64).eps else np.float64
        arrays = {"mu": _on_cpu(self.mean).astype(dtype), "sigma": _on_cpu(self.covariance).astype(dtype)}
        if self.count is not None:
            arrays["n"] = np.asarray(self.count)
        return arrays

    def save(self, path: str | Path) -> None:
        """Write an .npz file with `mu` and `sigma`, as pytorch-fid reads them, and the number of rows `n`.

        Parameters
        ----------
        path : str or Path
            Where to.

        Raises
        ------
        DomainError
            If there are fewer than two rows.
        OSError
            If the file cannot be written; one that was there before stays.
        """
        arrays = self.arrays()
        with atomic_write(path) as aside, aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> FeatureMoments:
        """Read an .npz file with `mu`, `sigma` and, where its writer knew it, `n`.

        Without `n` (as in files of pytorch-fid) the statistics can be compared, but neither updated nor merged.

        Raises
        ------
        DataError
            If there is no such file, or it is truncated or holds something else.
        """
        arrays = _read(Path(path))
        mu, sigma = (arrays[key].astype(np.float64) for key in ("mu", "sigma"))
        moments = cls(mu.shape[0])
        moments._rounding = float(max(np.finfo(arrays[key].dtype).eps for key in ("mu", "sigma")))
        if "n" not in arrays:
            moments._stored = (mu, sigma)
            return moments
        n = int(arrays["n"])
        moments._state = _rust.Moments.from_state(n, mu, np.zeros_like(mu), sigma * (n - 1), np.zeros((0, mu.shape[0])))
        return moments

    def to_dict(self) -> dict[str, Any]:
        """The state as integers and arrays, to be sent between processes; lossless.

        Examples
        --------
        >>> moments = FeatureMoments(1)
        >>> moments.update([[1.0], [3.0]])
        >>> FeatureMoments.from_dict(moments.to_dict()).covariance.tolist()
        [[2.0]]
        """
        self._require_count("self")
        count, origin, offset, scatter, pending = self._state.state_parts()
        parts = (origin + offset, origin, offset, scatter, pending)
        return {"count": int(count), **dict(zip(_PARTS, parts, strict=True)), "rounding": self.rounding}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> FeatureMoments:
        """The statistics that :meth:`to_dict` wrote.

        `count`, `mean`, `scatter` (of which the lower triangle is read) and `pending`, rows not counted yet, are
        enough. With `origin` and `offset`, whose sum is the mean, pending rows are relative to the origin.

        Raises
        ------
        ShapeError, DomainError
            If the parts do not fit each other or are not finite.
        """
        if missing := {"count", "mean", "scatter", "pending"} - set(state):
            raise DomainError(
                f"`state` must have count, mean, scatter and pending; {', '.join(sorted(missing))} missing"
            )
        moments = cls(len(state["mean"]))
        moments._rounding = max(moments._rounding, float(state.get("rounding", 0.0)))
        origin, offset = state.get("origin"), state.get("offset")
        if origin is None or offset is None:
            origin, offset = state["mean"], 0.0 * state["mean"]
            pending = state["pending"] - origin if len(state["pending"]) else state["pending"]
        else:
            pending = state["pending"]
        parts = (origin, offset, state["scatter"], pending)
        if is_tensor(state["mean"]) and state["mean"].device.type != "cpu":
            from gancore.kernels._torch.moments import Moments

            moments._state = Moments.from_state(state["count"], *parts)
        else:
            arrays = (np.ascontiguousarray(part, np.float64) for part in parts)
            moments._state = _rust.Moments.from_state(state["count"], *arrays)
        return moments

    def _require_count(self, argument: str) -> None:
        if self._stored:
            raise DomainError(
                f"`{argument}`: statistics from a file without `n` are of an unknown number of rows; they can be "
                "compared, but neither updated nor merged"
            )

    def __repr__(self) -> str:
        return f"FeatureMoments(dim={self.dim}, count={self.count})"


def _on_cpu(array: Any) -> np.ndarray[Any, Any]:
    return np.asarray(array.cpu().numpy() if is_tensor(array) else array)


def _read(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        # Opened here, for np.load leaves a file that it cannot read open.
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            archive = loaded if isinstance(loaded, np.lib.npyio.NpzFile) else {}
            arrays = {key: archive[key] for key in ("mu", "sigma", "n") if key in archive}
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: not a readable .npz file of numbers ({error})") from error
    if missing := {"mu", "sigma"} - set(arrays):
        raise DataError(f"{path}: expected an .npz file with mu and sigma, {' and '.join(sorted(missing))} missing")
    mu, sigma = arrays["mu"], arrays["sigma"]
    if mu.ndim != 1 or not mu.size or sigma.shape != (mu.size, mu.size):
        raise DataError(f"{path}: expected mu of shape (d,) and sigma (d, d), got {mu.shape} and {sigma.shape}")
    if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in (mu, sigma)):
        raise DataError(f"{path}: expected mu and sigma to be finite floats")
    if "n" in arrays and (arrays["n"].ndim or arrays["n"].dtype.kind not in "iu" or arrays["n"] < 2):
        raise DataError(f"{path}: expected n to be an integer of at least 2, got {arrays['n']}")
    return arrays
