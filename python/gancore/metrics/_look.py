"""What a metric looks through: rows as they are, a classifier, or any network or function of images."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from gancore.errors import BackendError, DomainError, DTypeError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["Look", "Rows", "as_rows"]

Rows: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.float64]"


@final
class Look:
    """A map from batches of samples to rows of features, with a protocol that says what it was.

    Parameters
    ----------
    features : None, FeatureClassifier, Module or callable
        None takes samples as rows of features.
    device : str, torch.device or None
        Where batches go before a network sees them; where the network is, if not given.
    """

    def __init__(self, features: Any, device: Any) -> None:
        if features == "inception":
            raise BackendError(
                "features='inception' is not in this version; pass a FeatureClassifier (gancore.features), a network "
                "or function from images (n, c, h, w) to features (n, d), or None for rows of features"
            )
        if isinstance(features, str):
            raise UnknownNameError("features", features, ("inception",))
        if not (features is None or callable(features) or hasattr(features, "features")):
            raise DTypeError(
                f"features: expected a FeatureClassifier, a callable or None, got {type(features).__name__}"
            )
        self.rows = features is None
        self.checked = hasattr(features, "protocol") and hasattr(features, "features")
        if self.checked and device is not None:
            features = features.to(device)
        self.protocol = _describe(features, classifier=self.checked)
        self._network = features
        self._apply = features.features if self.checked else features
        self._device = device

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """The network in evaluation mode; as it was at the end."""
        if self.rows or self.checked:
            yield
            return
        import torch

        from gancore._at_rest import at_rest

        with at_rest(self._network), torch.no_grad():
            yield

    def __call__(self, batch: Any, name: str) -> Rows:
        """Features of a batch: (n, d), checked."""
        if self.rows:
            return as_rows(batch, name)
        return as_rows(self._apply(batch.to(self._where())), f"features of {name}", expected=len(batch))

    def _where(self) -> Any:
        if self._device is not None:
            return self._device
        from gancore._at_rest import device_of

        return self._network.device if self.checked else device_of(self._network)


def as_rows(values: Any, name: str, *, expected: int | None = None) -> Rows:
    """Rows of finite floating-point features on the CPU."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        half = values.is_floating_point() and values.element_size() < 4
        values = (values.float() if half else values).numpy()
    rows = np.asarray(values)
    if rows.ndim != 2 or (expected is not None and len(rows) != expected):
        many = "n" if expected is None else str(expected)
        raise ShapeError(
            f"{name}: expected features of shape ({many}, d), got {rows.shape}"
            + ("; images need `features`, a network to look through" if expected is None and rows.ndim > 2 else "")
        )
    if rows.dtype not in (np.float32, np.float64):
        raise DTypeError(f"{name}: expected float32 or float64 features, got {rows.dtype}")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise DomainError(f"{name}: expected finite features, got nan or infinity in row {int(np.argmin(finite))}")
    return rows


def _describe(features: Any, *, classifier: bool) -> dict[str, Any]:
    if features is None:
        return {"features": "rows as given"}
    if classifier:
        return dict(features.protocol)
    return {"features": getattr(features, "__qualname__", type(features).__qualname__)}
