"""What a metric looks through: rows as they are, a classifier, or any network or function of images."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.metrics._networks import network_of
from gancore.metrics._protocol import AS_GIVEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from gancore.datasets._pixels import ImageSize

__all__ = ["Look", "Rows", "as_rows"]

Rows: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.float64]"


@final
class Look:
    """A map from batches of samples to rows of features, with a protocol that says what it was.

    Parameters
    ----------
    features : None, str, path, FeatureClassifier, InceptionFeatures, Module or callable
        None takes samples as rows of features.
    device : str, torch.device or None
        Where batches go before a network sees them; where the network is, if not given.
    resize : int or (int, int), optional
        Side, or (height, width), to which images are cropped and resized first.
    weights, download
        As :meth:`gancore.features.InceptionFeatures.load` takes them.
    """

    def __init__(
        self,
        features: Any,
        device: Any,
        *,
        resize: ImageSize | None = None,
        weights: str | Path | None = None,
        download: bool = False,
    ) -> None:
        features = network_of(features, device=device, weights=weights, download=download)
        if not (features is None or callable(features) or hasattr(features, "features")):
            raise DTypeError(
                "features: expected 'inception', a FeatureClassifier, a callable or None, got "
                f"{type(features).__name__}"
            )
        if features is None and resize is not None:
            raise DTypeError("resize: rows of features have no size; give `features`, a network to look through")
        self.rows = features is None
        self.known = hasattr(features, "protocol") and hasattr(features, "features")
        self.size = _parsed(resize)
        self.channels: int | None = None
        if self.known:
            self.channels = features.channels if hasattr(features, "channels") else features.shape[0]
            features = features if device is None else features.to(_device(device))
        self.protocol = _describe(features, known=self.known, size=self.size)
        self._network = features
        self._apply = features.features if self.known else features
        self._device = None if device is None or self.rows else _device(device)

    @property
    def checked(self) -> bool:
        """Whether images must be in [-1, 1]: a network that gancore knows, or a resize in 8 bits, asks for it."""
        return self.known or self.size is not None

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """The network in evaluation mode; as it was at the end."""
        if self.rows or self.known:
            yield
            return
        import torch

        from gancore._at_rest import at_rest

        with at_rest(self._network), torch.no_grad():
            yield

    def fitted(self, batch: Any, name: str) -> Any:
        """Images brought to the size and the channels that are asked for, in 8 bits if that changes them."""
        if not self.checked or batch.ndim != 4:
            return batch
        channels = batch.shape[1] if self.channels is None else self.channels
        size = tuple(batch.shape[2:]) if self.size is None else self.size
        wanted = getattr(self._network, "shape", (channels, *size))
        if wanted != (channels, *size):
            raise ShapeError(
                f"{name}: images are {'x'.join(map(str, batch.shape[1:]))}, `features` takes "
                f"{'x'.join(map(str, wanted))}; give resize={wanted[1] if wanted[1] == wanted[2] else wanted[1:]}"
            )
        if tuple(batch.shape[1:]) == wanted:
            return batch
        import torch

        from gancore.datasets._pixels import fit_stack

        pixels = batch.detach().cpu().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        return fit_stack(pixels, size, channels).float().div_(127.5).sub_(1.0)

    def __call__(self, batch: Any, name: str, first: int = 0) -> Rows:
        """Features of a batch that begins with sample number `first`: (n, d), checked."""
        if self.rows:
            return as_rows(batch, name, first=first)
        found = self._apply(batch.to(self._where()))
        return as_rows(found, f"features of {name}", expected=len(batch), first=first)

    def _where(self) -> Any:
        if self._device is not None:
            return self._device
        from gancore._at_rest import device_of

        return self._network.device if self.known else device_of(self._network)


def as_rows(values: Any, name: str, *, expected: int | None = None, first: int = 0) -> Rows:
    """Rows of finite floating-point features on the CPU; `first` is the number of the first row, for messages."""
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
        row = first + int(np.argmin(finite))
        raise DomainError(f"{name}: expected finite features, got nan or infinity in row {row}")
    return rows


def _parsed(resize: ImageSize | None) -> tuple[int, int] | None:
    if resize is None:
        return None
    from gancore.datasets._pixels import parse_size

    return parse_size(resize)


def _device(device: Any) -> Any:
    from gancore.training.device import resolve_device

    return resolve_device(device)


def _describe(features: Any, *, known: bool, size: tuple[int, int] | None) -> dict[str, Any]:
    if features is None:
        return {"features": AS_GIVEN}
    resize = None if size is None else f"centre crop, Pillow bicubic (antialiased, 8 bits) to {size[0]}x{size[1]}"
    if known:
        own = dict(features.protocol)
        ways = [way for way in (resize, own.get("resize")) if way is not None]
        return {"value_range": "[-1, 1]", **own, "resize": "; then ".join(ways) or "none"}
    return {
        "features": getattr(features, "__qualname__", type(features).__qualname__),
        "weights_sha256": _digest(features),
        "resize": resize or "none",
        "value_range": "8 bits scaled to [-1, 1], floats as they are" if size is None else "[-1, 1]",
    }


def _digest(features: Any) -> str | None:
    """The weights of a module; a function has none that could be told."""
    import torch

    from gancore.features._file import weights_sha256

    if not isinstance(features, torch.nn.Module):
        return None
    return weights_sha256({k: v for k, v in features.state_dict().items() if isinstance(v, torch.Tensor)})
