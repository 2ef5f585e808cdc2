from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from gancore.datasets import as_data, load
from gancore.errors import (
    DataError,
    DomainError,
    DTypeError,
    IncompatibleChoiceError,
    SampleSizeWarning,
    ShapeError,
    UnknownNameError,
)
from gancore.features import train_classifier
from gancore.kernels.moments import FeatureMoments
from gancore.metrics import FIDResult, fid
from gancore.samplers import plain

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(6, 6))
REAL = RNG.normal(size=(600, 6)) @ MIX
FAKE = RNG.normal(size=(500, 6)) @ MIX.T + 1.0


def reference(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, by SciPy's square root of the product."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real))


def quiet(real: object, fake: object, **settings: object) -> FIDResult:
    return fid(real, fake, **({"progress": False} | settings))


def test_equals_the_definition() -> None:
    result = quiet(REAL, FAKE)
    assert result.value == pytest.approx(reference(REAL, FAKE), rel=1e-9)
    assert (result.n_real, result.n_fake) == (600, 500)
    assert result.interval[0] < result.value < result.interval[1]
    assert result.protocol["dim"] == 6
    assert "jackknife" in result.protocol["interval"]


def test_a_sample_is_at_no_distance_from_itself() -> None:
    assert quiet(REAL, REAL).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("batch_size", [1, 7, 10_000])
def test_batches_change_nothing(batch_size: int) -> None:
    assert quiet(REAL, FAKE, batch_size=batch_size).value == pytest.approx(reference(REAL, FAKE), rel=1e-9)


def sources(tmp_path: Path) -> dict[str, object]:
    np.save(tmp_path / "features.npy", FAKE)
    np.savez(tmp_path / "features.npz", x=FAKE)
    tensor = torch.from_numpy(FAKE)
    return {
        "tensor": tensor,
        "requires grad": tensor.clone().requires_grad_(),
        "npy": tmp_path / "features.npy",
        "npz": str(tmp_path / "features.npz"),
        "dataset": TensorDataset(tensor),
        "loader": DataLoader(TensorDataset(tensor, torch.zeros(500)), batch_size=33),
        "loader of tensors": DataLoader(tensor, batch_size=500),
        "data": as_data(tensor),
        "function": lambda n: FAKE[:n],
        "iterator": iter(tensor.split(70)),
        "function of samples": lambda n: plain(lambda z: tensor[: len(z)], None, n, latent_dim=1, batch_size=n),
    }


KINDS = (
    "tensor",
    "requires grad",
    "npy",
    "npz",
    "dataset",
    "loader",
    "loader of tensors",
    "data",
    "function",
    "iterator",
    "function of samples",
)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_features_from_anywhere(kind: str, tmp_path: Path) -> None:
    result = quiet(REAL, sources(tmp_path)[kind], n=500)
    # Data are float32.
    assert result.value == pytest.approx(reference(REAL, FAKE), rel=1e-5)
    assert result.n_fake == 500


def test_statistics_are_held_fixed_in_the_interval(tmp_path: Path) -> None:
    moments = FeatureMoments(6)
    moments.update(REAL)
    moments.save(tmp_path / "real.npz")
    both = quiet(REAL, FAKE)
    for real in (moments, tmp_path / "real.npz"):
        result = quiet(real, FAKE)
        assert result.value == pytest.approx(reference(REAL, FAKE), rel=1e-9)
        assert result.n_real == 600
        assert "real held fixed" in result.protocol["interval"]
        assert 0 < result.interval[1] - result.interval[0] < both.interval[1] - both.interval[0]
        found = quiet(real, moments)
        assert (found.interval, found.protocol["interval"]) == (None, None)
    assert quiet(REAL, FAKE, interval=False).interval is None


def test_statistics_of_pytorch_fid(tmp_path: Path) -> None:
    """They have mu and sigma, and do not tell how many samples they are of."""
    np.savez(tmp_path / "real.npz", mu=REAL.mean(axis=0), sigma=np.cov(REAL, rowvar=False))
    assert quiet(tmp_path / "real.npz", FAKE).value == pytest.approx(reference(REAL, FAKE), rel=1e-9)


def test_the_interval_covers() -> None:
    """For normals N(0, I) and N(1, I) the distance is d: most of 60 intervals hold it, at sizes where bias is small."""
    rng = np.random.default_rng(1)
    covered = 0
    widths = []
    for _ in range(60):
        result = quiet(rng.normal(size=(1500, 2)), rng.normal(1.0, size=(1500, 2)))
        covered += result.interval[0] <= 2.0 <= result.interval[1]
        widths.append(result.interval[1] - result.interval[0])
    # 95 % of 60, within 4 standard errors below; an interval that covers always would be too wide to be one.
    assert covered >= 50
    # The distance's own standard error: mean difference 4 * 2 * 2/n from the means, and the covariances' part.
    assert np.mean(widths) == pytest.approx(2 * 1.96 * math.sqrt(4 * 2 * 2 / 1500), rel=0.25)


def test_the_seed_decides_the_samples_of_the_interval() -> None:
    many = np.random.default_rng(0).normal(size=(20_000, 2))
    assert quiet(REAL, FAKE).interval == quiet(REAL, FAKE, seed=3).interval, "all samples are taken, if they are few"
    assert quiet(many, many + 1).interval == quiet(many, many + 1).interval
    assert quiet(many, many + 1).interval != quiet(many, many + 1, seed=3).interval
    assert quiet(many, many + 1).value == quiet(many, many + 1, seed=3).value


def test_a_file_of_features_stays_on_disk(tmp_path: Path) -> None:
    rows = RNG.normal(size=(400_000, 4)).astype(np.float32)
    np.save(tmp_path / "many.npy", rows)
    tracemalloc.start()
    try:
        result = quiet(tmp_path / "many.npy", REAL[:, :4])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows.nbytes / 2
    assert result.value == quiet(rows, REAL[:, :4]).value


def test_how_the_distance_was_computed_is_told(tmp_path: Path) -> None:
    found = quiet(REAL, FAKE).protocol
    assert (found["trace"], found["ranks"], found["covariances"]) == ("eigenvalues", [6, 6], "float64")
    # Statistics of few samples, rounded to float32 and converted: not positive but for that rounding.
    few = RNG.normal(size=(5, 6))
    sigma = np.cov(few, rowvar=False).astype(np.float32).astype(np.float64)
    np.savez(tmp_path / "few.npz", mu=few.mean(0), sigma=sigma)
    found = quiet(tmp_path / "few.npz", REAL).protocol
    assert (found["trace"], found["covariances"]) == ("singular values", "float32 in float64")


class Net(nn.Module):
    """Features that say in which mode they were made."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 4)
        self.normal = nn.BatchNorm1d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.normal(self.linear(x.flatten(1)))


IMAGES = torch.rand(300, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_network_is_looked_through_at_rest_and_left_as_it_was() -> None:
    net = Net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    result = quiet(IMAGES, IMAGES.flip(0) ** 3, features=net)
    assert net.training
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    net.eval()
    with torch.no_grad():
        expected = reference(net(IMAGES).double().numpy(), net(IMAGES**3).double().numpy())
    assert result.value == pytest.approx(expected, rel=1e-4)
    assert result.protocol["features"] == "Net"


def test_8_bit_images_are_scaled_and_floats_are_not(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (100, 2, 2, 3), dtype=np.uint8)
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
    folder = tmp_path / "images"
    folder.mkdir()
    for row, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{row:03}.png")
    np.save(tmp_path / "images.npy", pixels)
    loader = DataLoader(torch.from_numpy(pixels).permute(0, 3, 1, 2), batch_size=30)
    seen = []

    def flat(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x.flatten(1)

    for source in (pixels, folder, str(tmp_path / "images.npy"), loader, scaled, scaled * 7 + 3):
        seen.clear()
        quiet(source, source, features=flat)
        expected = scaled * 7 + 3 if source is not scaled and isinstance(source, torch.Tensor) else scaled
        torch.testing.assert_close(torch.cat(seen)[:100], expected)


def test_classifier_features_tell_digits_from_noise() -> None:
    digits = load("digits")
    classifier = train_classifier(digits, steps=60)
    half, rest = (digits.batch(torch.arange(1797)[start::2]) for start in (0, 1))
    near = quiet(half, rest, features=classifier)
    far = quiet(half, lambda n: torch.rand(n, 1, 8, 8) * 2 - 1, features=classifier)
    assert far.n_fake == len(half)
    assert far.value > 20 * near.value
    assert far.protocol["weights_sha256"] == classifier.protocol["weights_sha256"]
    with pytest.raises(DomainError, match=r"fake: expected float images in \[-1, 1\]"):
        quiet(half, half * 127.5 + 127.5, features=classifier)


def test_too_few_samples_warn() -> None:
    with pytest.warns(SampleSizeWarning, match="fake: 11 samples are too few for 6 features"):
        quiet(REAL, FAKE[:11])


@pytest.mark.parametrize(
    ("fake", "settings", "error", "match"),
    [
        (FAKE[:, :5], {}, ShapeError, "fake: expected 6 features, as real has, got 5"),
        (FAKE[0], {}, ShapeError, r"fake: expected features of shape \(n, d\)"),
        (IMAGES, {}, ShapeError, "fake: .*images need `features`"),
        (FAKE[:1], {}, DomainError, "fake: expected at least 2 samples, got 1"),
        (FAKE[:0], {}, DomainError, "fake: expected at least 2 samples, got 0"),
        (np.where(np.arange(500)[:, None] == 3, np.nan, FAKE), {}, DomainError, "fake: .*row 3$"),
        (np.where(np.arange(500)[:, None] == 300, np.inf, FAKE), {}, DomainError, "fake: .*row 300$"),
        (FAKE.astype(int), {}, DTypeError, "fake: expected float32 or float64"),
        (None, {}, DTypeError, "fake: expected a path"),
        (nn.Linear(2, 6), {}, DTypeError, "fake: a network takes codes"),
        (lambda n: FAKE[: n - 1], {}, DTypeError, "fake: expected the function to return an array of 256 samples"),
        ("no/such/folder", {}, DataError, "no such file or folder"),
        (FAKE, {"features": "inception", "weights": "no/such.pth"}, DataError, "weights: no/such.pth: no such file"),
        (FAKE, {"features": "no/classifier"}, DataError, "no/classifier: no such file"),
        (FAKE, {"weights": "a.pth"}, IncompatibleChoiceError, "weights, download: only features='inception'"),
        (FAKE, {"resize": 8}, DTypeError, "resize: rows of features have no size"),
        (FAKE, {"features": "inceptoin"}, UnknownNameError, "did you mean 'inception'"),
        (FAKE, {"features": 3}, DTypeError, "features: "),
        (FAKE, {"batch_size": 0}, DomainError, "batch_size: "),
        (FAKE, {"n": 1}, DomainError, "n: "),
    ],
)
def test_input_that_makes_no_sense(fake: object, settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        quiet(REAL, fake, **settings)


def test_features_that_make_no_sense() -> None:
    for features, error, match in (
        (lambda x: x, ShapeError, r"features of real: expected features of shape \(256, d\)"),
        (lambda x: x.flatten(1)[:-1], ShapeError, "features of real"),
        (lambda x: x.flatten(1) / 0, DomainError, "features of real: .*nan or infinity"),
    ):
        with pytest.raises(error, match=match):
            quiet(IMAGES, IMAGES, features=features)


def test_a_function_needs_a_number() -> None:
    with pytest.raises(DomainError, match="real: say how many"):
        quiet(lambda n: REAL[:n], FAKE)
    assert quiet(lambda n: REAL[:n], FAKE, n=400).n_real == 400


def test_features_in_numpy_need_no_torch(tmp_path: Path) -> None:
    np.save(tmp_path / "fake.npy", FAKE)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from gancore.metrics import fid, inception_score, mode_coverage\n"
        f"print(fid(np.load({str(tmp_path / 'fake.npy')!r}) + 1, {str(tmp_path / 'fake.npy')!r}).value)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(6.0)


def test_real_photographs_from_two_folders(data_root: Path, tmp_path: Path) -> None:
    train, val = (load(data_root / "facades" / part, image_size=8, channels=1) for part in ("train", "val"))
    train, val = (data.batch(torch.arange(len(data))).flatten(1)[:, ::4] for data in (train, val))
    near, far = quiet(train, val), quiet(train, torch.rand(100, 16) * 2 - 1)
    assert near.value < 0.5 * far.value


@pytest.mark.gpu
def test_the_gpu_sees_the_same() -> None:
    net = Net()
    here = quiet(IMAGES, IMAGES**3, features=net)
    for settings in ({"device": "cuda"}, {}):
        assert quiet(IMAGES, IMAGES.cuda() ** 3, features=net.cuda(), **settings).value == pytest.approx(
            here.value, rel=1e-3
        )
