"""Where and how exactly to compute: devices and precisions by the names people write."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch

from gancore.errors import BackendError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Precision", "resolve_compiler", "resolve_device", "resolve_precision"]

Precision = Literal["float32", "bfloat16"]


def resolve_device(device: str | torch.device) -> torch.device:
    """The device of a name; ``auto`` is CUDA where there is one.

    Raises
    ------
    ConfigError
        If the name means no device that gancore runs on.
    BackendError
        If the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda"):
        raise ConfigError(f"device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise BackendError(f"device: {device} is not available; torch sees {torch.cuda.device_count()} CUDA devices")
    return resolved


def resolve_precision(precision: str, device: torch.device) -> Precision:
    """The precision of the networks' forward passes; ``auto`` is bfloat16 autocast on CUDA, float32 elsewhere.

    Raises
    ------
    ConfigError
        If the name means no precision.
    """
    if precision == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    if precision == "bfloat16":
        return "bfloat16"
    if precision == "float32":
        return "float32"
    raise ConfigError(f"precision: expected 'auto', 'float32' or 'bfloat16', got {precision!r}")


def resolve_compiler(backend: str | None) -> Callable[[Any], Any]:
    """What compiles a network or a function: torch.compile with a backend of this name; None leaves all as it is.

    Raises
    ------
    ConfigError
        If torch knows no such backend.
    """
    if backend is None:
        return _as_it_is
    known = torch.compiler.list_backends(exclude_tags=())
    if backend not in known:
        raise ConfigError(f"compile: expected a backend of torch.compile, one of {', '.join(known)}, got {backend!r}")
    return partial(torch.compile, backend=backend)


def _as_it_is(what: Any) -> Any:
    return what
