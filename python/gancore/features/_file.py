"""Weights and their protocol in one safetensors file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gancore._extras import require
from gancore._files import atomic_write
from gancore.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["read_weights", "weights_sha256", "write_weights"]

_KEY = "gancore.classifier"


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """A digest of names, types, shapes and values."""
    torch = require("torch", extra="train")
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        # As bytes, for NumPy has no bfloat16.
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_weights(path: str | Path, weights: Mapping[str, Tensor], protocol: Mapping[str, Any]) -> None:
    """Write weights and protocol, the whole file or nothing."""
    safetensors = require("safetensors.torch", extra="train")
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with atomic_write(path) as aside:
        # Its own `save_file` makes files that only their owner may read, whatever the umask says.
        aside.write_bytes(safetensors.save(tensors, metadata={_KEY: json.dumps(dict(protocol))}))


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and protocol, the digest checked."""
    safetensors = require("safetensors", extra="train")
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            weights = {name: file.get_tensor(name) for name in names}
    except (OSError, safetensors.SafetensorError) as error:
        raise DataError(f"{path}: not a readable safetensors file: {error}") from error
    try:
        protocol = json.loads(metadata[_KEY])
        promised = protocol["weights_sha256"]
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{path}: holds weights, but not those of a classifier that gancore saved") from None
    if weights_sha256(weights) != promised:
        raise DataError(f"{path}: the weights are not those of its protocol; the file was changed")
    return weights, protocol
