"""Features of the Inception network that FID and KID are defined with, through torch-fidelity.

torch-fidelity's extractor reproduces the TensorFlow graph of 2015 that all published scores were made with; its
weights are not part of any package. They are read from a file and never downloaded unasked.
"""

from __future__ import annotations

import importlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import torch

from gancore.errors import BackendError, DataError, DTypeError, MissingExtraError, ShapeError, UnknownNameError
from gancore.features._file import weights_sha256

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WEIGHTS_FILE", "WEIGHTS_VARIABLE", "InceptionFeatures"]

WEIGHTS_FILE: Final = "weights-inception-2015-12-05-6726825d.pth"
"""Name of the file in torch-fidelity's release v0.2.0 and in torch's cache."""

WEIGHTS_VARIABLE: Final = "GANCORE_INCEPTION_WEIGHTS"
"""Environment variable that may name the file."""

_LAYERS = {"64": 64, "192": 192, "768": 768, "2048": 2048}
_CHUNK = {"cpu": 32, "cuda": 256}


@final
class InceptionFeatures:
    """Pooled activations of Inception v3; made by :meth:`load`.

    Attributes
    ----------
    dim : int
        Width of the features: 2048, unless another layer was asked for.
    channels : int
        Channels of the images it takes: 3.
    protocol : dict
        Network, layer, sha256 of the weights, resize rule, range of values, versions.
    """

    channels = 3

    def __init__(self, network: Any, protocol: dict[str, Any], *, device: torch.device | str = "cpu") -> None:
        self._network = network.to(device).eval()
        self.device = torch.device(device)
        self.protocol = protocol
        self.dim: int = _LAYERS[protocol["layer"]]

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        *,
        download: bool = False,
        layer: str = "2048",
        device: torch.device | str = "cpu",
    ) -> InceptionFeatures:
        """The network with its weights from a file.

        Parameters
        ----------
        weights : path, optional
            A state dict in torch's format. If not given: the file that ``$GANCORE_INCEPTION_WEIGHTS`` names, else
            ``weights-inception-2015-12-05-6726825d.pth`` in torch's cache, ``$TORCH_HOME/hub/checkpoints``.
        download : bool
            Download the file (96 MB) into torch's cache if it is in none of these places.
        layer : {"2048", "768", "192", "64"}
            Which activations; "2048", the last pooling layer, is that of FID and KID.
        device : str or torch.device
            Where to compute.

        Returns
        -------
        InceptionFeatures

        Raises
        ------
        MissingExtraError
            If torch-fidelity or torchvision is not installed.
        DataError
            If there are no weights, or the file is truncated or holds something else.
        UnknownNameError
            If there is no such layer.
        BackendError
            If the installed torchvision does not fit the installed torch, or the download fails.
        """
        if layer not in _LAYERS:
            raise UnknownNameError("layer", str(layer), _LAYERS)
        library = _library()
        path = _find(weights, download=download, url=library.URL_INCEPTION_V3)
        state = _state(path)
        try:
            network = library.FeatureExtractorInceptionV3("inception-v3-compat", [layer], str(path))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(
                f"weights: {path}: not the weights of torch-fidelity's Inception network: {reason}"
            ) from error
        protocol = {
            "features": "inception-v3-compat (torch-fidelity)",
            "layer": layer,
            "weights_sha256": weights_sha256(state),
            "weights_file": path.name,
            "resize": "TensorFlow 1 bilinear to 299x299, inside the network",
            "value_range": "8 bits, 0 to 255",
            "versions": {"torch-fidelity": version("torch-fidelity")},
        }
        return cls(network, protocol, device=device)

    def features(self, x: Tensor) -> Tensor:
        """Features of images, in chunks of bounded memory.

        Parameters
        ----------
        x : Tensor of shape (n, 3, h, w)
            8-bit images, or floats in [-1, 1], which are rounded to 8 bits.

        Returns
        -------
        Tensor of float32, shape (n, dim)

        Raises
        ------
        ShapeError, DTypeError, BackendError
            If these are no colour images, or lie on another device.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ShapeError(f"x: expected images (n, 3, h, w), got shape {tuple(x.shape)}")
        if x.dtype != torch.uint8 and not x.is_floating_point():
            raise DTypeError(f"x: expected 8-bit images or floats in [-1, 1], got {x.dtype}")
        if x.device.type != self.device.type:
            raise BackendError(f"x: is on {x.device}, the network on {self.device}; move one with .to(device)")
        if x.dtype != torch.uint8:
            x = x.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        with torch.no_grad():
            chunks = [self._network(chunk)[0] for chunk in torch.split(x, _CHUNK.get(self.device.type, 64))]
        return torch.cat(chunks) if chunks else x.new_zeros((0, self.dim), dtype=torch.float32)

    def to(self, device: torch.device | str) -> InceptionFeatures:
        """The same network on another device, moved there."""
        return InceptionFeatures(self._network, self.protocol, device=device)


def _library() -> Any:
    """torch-fidelity's extractor, with what is wrong in words that help."""
    try:
        return importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("torch_fidelity", "torchvision"):
            raise
        raise MissingExtraError(package, "inception") from None
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BackendError(
            f"torchvision, which torch-fidelity imports, does not fit torch {torch.__version__} ({reason}); install "
            "both in builds made for each other: a torchvision for the CPU with a torch for the CPU, one for CUDA "
            "with one for CUDA"
        ) from error


def _find(weights: str | Path | None, *, download: bool, url: str) -> Path:
    variable = os.environ.get(WEIGHTS_VARIABLE)
    if weights is not None or variable:
        path = Path(weights if weights is not None else str(variable))
        if not path.is_file():
            raise DataError(f"{WEIGHTS_VARIABLE if weights is None else 'weights'}: {path}: no such file")
        return path
    path = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE
    if path.is_file():
        return path
    if not download:
        raise DataError(
            f"weights: Inception's are not on this machine; put {WEIGHTS_FILE} (96 MB, of torch-fidelity's release "
            f"v0.2.0) at {path}, or name a copy by weights=, --weights or {WEIGHTS_VARIABLE}; or allow its download by "
            "download=True or --download"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path))
    except OSError as error:
        raise BackendError(f"weights: {url} cannot be downloaded: {error}") from error
    return path


def _state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, read without running what a pickle may hold."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Archives, pickles and their decoders fail in many ways on a file that is none of theirs.
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"weights: {path}: truncated, or no state dict in torch's format: {reason}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"weights: {path}: expected a state dict of tensors, got {type(state).__name__}")
    return state
