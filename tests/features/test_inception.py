"""The Inception network with random weights: real ones are nowhere but in the hands of users."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from gancore.errors import (
    BackendError,
    DataError,
    DomainError,
    DTypeError,
    MissingExtraError,
    ProtocolError,
    SampleSizeWarning,
    ShapeError,
    UnknownNameError,
)
from gancore.features import InceptionFeatures, inception
from gancore.metrics import feature_rows, fid

if TYPE_CHECKING:
    from pathlib import Path

extractor = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 20, 24), dtype=np.uint8)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """A state dict of the network's shapes, with activations that neither die nor explode."""
    holder: dict[str, Any] = {}

    class Shapes(extractor.FeatureExtractorInceptionV3):  # type: ignore[misc, name-defined]
        def load_state_dict(self, *_: Any, **__: Any) -> None:
            holder.update(torch.nn.Module.state_dict(self))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractor, "load_state_dict_from_url", lambda *_, **__: {})
        Shapes("shapes", ["64"])
    random = torch.Generator().manual_seed(0)
    weights = {}
    for name, value in holder.items():
        if value.ndim == 4:
            weights[name] = torch.randn(value.shape, generator=random) * (2 / value[0].numel()) ** 0.5
        else:
            weights[name] = value.clone()
    return weights


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(state, path)
    return path


@pytest.fixture(autouse=True)
def _nothing_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch home"))
    monkeypatch.delenv(inception.WEIGHTS_VARIABLE, raising=False)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a download was tried")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(extractor, "load_state_dict_from_url", refuse)


def test_features_are_torch_fidelitys(weights: Path) -> None:
    ours = InceptionFeatures.load(weights)
    theirs = extractor.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(weights))
    pixels = torch.from_numpy(IMAGES)
    found = ours.features(pixels)
    assert (found.shape, found.dtype, ours.dim) == ((6, 2048), torch.float32, 2048)
    assert found.std() > 0
    torch.testing.assert_close(found, theirs(pixels)[0], rtol=1e-5, atol=1e-6)
    # Floats in [-1, 1] are the same images.
    torch.testing.assert_close(ours.features(pixels / 127.5 - 1), found, rtol=0, atol=0)


def test_the_protocol_says_which_weights_and_what_was_done_to_images(
    weights: Path, state: dict[str, torch.Tensor]
) -> None:
    with pytest.warns(SampleSizeWarning):
        found = fid(IMAGES, IMAGES, features="inception", weights=weights, interval=False, progress=False)
    protocol = found.protocol
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name} {state[name].dtype} {tuple(state[name].shape)}\n".encode())
        digest.update(state[name].numpy().tobytes())
    assert protocol["weights_sha256"] == digest.hexdigest()
    assert protocol["features"].startswith("inception-v3-compat")
    assert "TensorFlow 1 bilinear to 299x299" in protocol["resize"]
    assert (protocol["value_range"], protocol["layer"], protocol["dim"]) == ("8 bits, 0 to 255", "2048", 2048)
    assert protocol["image"] == [3, 20, 24]
    assert {"gancore", "numpy", "torch", "torch-fidelity"} <= set(protocol["versions"])
    assert (protocol["n_real"], protocol["n_fake"]) == (6, 6)


def test_grey_images_and_folders(weights: Path, tmp_path: Path) -> None:
    network = InceptionFeatures.load(weights, layer="64")
    grey = IMAGES[:, :1]
    rgb = feature_rows(np.repeat(grey, 3, axis=1), features=network, progress=False)
    np.testing.assert_array_equal(feature_rows(grey, features=network, progress=False).x, rgb.x)
    for row, image in enumerate(grey):
        Image.fromarray(image[0]).save(tmp_path / f"{row}.png")
    np.testing.assert_array_equal(feature_rows(tmp_path, features=network, progress=False).x, rgb.x)
    resized = feature_rows(grey, features=network, resize=299, progress=False)
    assert resized.protocol["resize"].startswith("centre crop, Pillow bicubic (antialiased, 8 bits) to 299x299; then")
    assert not np.allclose(resized.x, rgb.x)


def test_images_of_two_sizes_need_a_rule(weights: Path) -> None:
    network = InceptionFeatures.load(weights, layer="64")
    mixed = pytest.raises(ProtocolError, match=r"image: 3x20x24 \(real\), 3x10x10 \(fake\)")
    with mixed, pytest.warns(SampleSizeWarning):
        fid(IMAGES, IMAGES[:, :, :10, :10], features=network, progress=False)
    batches = [torch.from_numpy(IMAGES), torch.from_numpy(IMAGES[:, :, :10, :10])]
    with pytest.raises(ShapeError, match="source: images of different sizes, 3x20x24 and 3x10x10; give resize="):
        feature_rows(iter(batches), features=network, progress=False)
    assert feature_rows(iter(batches), features=network, resize=12, progress=False).x.shape == (12, 64)
    with pytest.raises(DomainError, match=r"source: expected float images in \[-1, 1\]"):
        feature_rows(IMAGES.astype(np.float32), features=network, progress=False)


def test_weights_are_found_where_the_message_says(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError) as caught:
        InceptionFeatures.load()
    for part in (inception.WEIGHTS_FILE, inception.WEIGHTS_VARIABLE, "--weights", "--download", "download=True"):
        assert part in str(caught.value)
    place = re.search(r"at (.*?\.pth), or", str(caught.value)).group(1)
    expected = InceptionFeatures.load(weights, layer="64").protocol["weights_sha256"]
    monkeypatch.setenv(inception.WEIGHTS_VARIABLE, str(weights))
    assert InceptionFeatures.load(layer="64").protocol["weights_sha256"] == expected
    monkeypatch.setenv(inception.WEIGHTS_VARIABLE, "no/such.pth")
    with pytest.raises(DataError, match=r"GANCORE_INCEPTION_WEIGHTS: no/such\.pth: no such file"):
        InceptionFeatures.load()
    monkeypatch.delenv(inception.WEIGHTS_VARIABLE)
    # The place that the message named.
    from pathlib import Path

    Path(place).parent.mkdir(parents=True)
    Path(place).write_bytes(weights.read_bytes())
    assert InceptionFeatures.load(layer="64").protocol["weights_sha256"] == expected


def test_a_download_is_asked_for_or_does_not_happen(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(url: str, path: str) -> None:
        asked.append(url)
        from pathlib import Path

        Path(path).write_bytes(weights.read_bytes())

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(DataError):
        InceptionFeatures.load()
    assert asked == []
    for _ in range(2):
        assert InceptionFeatures.load(download=True, layer="64").dim == 64
    assert asked == [extractor.URL_INCEPTION_V3]


def test_a_failed_download_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(BackendError, match=r"weights: .* cannot be downloaded: no route to host"):
        InceptionFeatures.load(download=True)


def test_files_that_are_not_the_weights(weights: Path, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    whole = weights.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.pth: truncated, or no state dict"):
        InceptionFeatures.load(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.pth: truncated, or no state dict"):
        InceptionFeatures.load(path)
    torch.save({key: value for key, value in state.items() if not key.startswith("fc")}, path)
    with pytest.raises(DataError, match=r"a\.pth: not the weights of torch-fidelity's Inception.*fc\.weight"):
        InceptionFeatures.load(path)
    torch.save([torch.zeros(2)], path)
    with pytest.raises(DataError, match="expected a state dict of tensors, got list"):
        InceptionFeatures.load(path)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('code of a file was run')",)


def test_no_code_of_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(DataError, match=r"evil\.pth: truncated, or no state dict"):
        InceptionFeatures.load(tmp_path / "evil.pth")


def test_images_that_it_cannot_take(weights: Path) -> None:
    network = InceptionFeatures.load(weights, layer="64")
    with pytest.raises(ShapeError, match=r"expected images \(n, 3, h, w\)"):
        network.features(torch.zeros(2, 1, 8, 8))
    with pytest.raises(DTypeError, match="int64"):
        network.features(torch.zeros(2, 3, 8, 8, dtype=torch.int64))
    with pytest.raises(BackendError, match="meta"):
        network.features(torch.zeros(2, 3, 8, 8, device="meta"))
    with pytest.raises(UnknownNameError, match="did you mean '2048'"):
        InceptionFeatures.load(weights, layer="2049")
    assert network.features(torch.zeros(0, 3, 8, 8)).shape == (0, 64)


BROKEN = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            raise {error}
sys.meta_path.insert(0, Finder())
from gancore.features import InceptionFeatures
try:
    InceptionFeatures.load("a.pth")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("RuntimeError('operator torchvision::nms does not exist')", "BackendError torchvision, .* does not fit torch"),
        ("ModuleNotFoundError('x', name='torchvision')", r"MissingExtraError torchvision .* 'gancore\[inception\]'"),
        ("ModuleNotFoundError('x', name='torch_fidelity')", r"MissingExtraError torch_fidelity .*inception"),
    ],
)
def test_installations_that_do_not_work_are_explained(error: str, said: str) -> None:
    code = BROKEN.format(error=error)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.match(said, done.stdout)


def test_the_package_of_features_imports_no_torchvision() -> None:
    code = "import sys, gancore.features\nprint(sorted({'torchvision', 'torch_fidelity'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_extras_are_a_built_in_too() -> None:
    assert issubclass(MissingExtraError, ImportError)
