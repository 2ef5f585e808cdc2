"""Where samples come from, as streams: folders, functions, loaders, runs; sizes, and what is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import gancore
from gancore.datasets import load
from gancore.errors import DataError, DTypeError, ShapeError
from gancore.features import train_classifier
from gancore.metrics import feature_rows, fid
from gancore.metrics._draw import drawn
from gancore.metrics._folder import ImageFolder

RNG = np.random.default_rng(0)


def flat(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1)


def pooled(x: torch.Tensor) -> torch.Tensor:
    return x.mean(dim=(2, 3))


def folder(path: Path, sizes: list[tuple[int, int]], *, grey: bool = False) -> Path:
    path.mkdir()
    for row, size in enumerate(sizes):
        pixels = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels[..., 0] if grey else pixels).save(path / f"{row:03}.png")
    return path


def test_a_folder_is_read_batch_by_batch_as_training_reads_it(tmp_path: Path) -> None:
    where = folder(tmp_path / "images", [(6, 5)] * 11)
    whole, stream = load(where), ImageFolder(where)
    assert (stream.shape, len(stream), stream.kind) == (whole.shape, len(whole), "image")
    for start in range(0, 11, 4):
        indices = torch.arange(start, min(start + 4, 11))
        assert torch.equal(stream.batch(indices), whole.batch(indices))
    assert torch.equal(ImageFolder(where, image_size=3).batch(indices), load(where, image_size=3).batch(indices))
    assert ImageFolder(folder(tmp_path / "grey", [(4, 4)] * 2, grey=True)).shape == (1, 4, 4)


PEAKS = """
import resource, sys
from gancore.metrics import feature_statistics
for folder in sys.argv[1:]:
    found = feature_statistics(folder, features=lambda x: x.mean(dim=(2, 3)), batch_size=10, progress=False)
    print(found.moments.count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are counted in kilobytes on Linux")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    for row in range(4):
        Image.new("RGB", (400, 400), (row, 50 * row, 99)).save(tmp_path / f"{row}.png")
    for name, n in (("few", 60), ("many", 460)):
        (tmp_path / name).mkdir()
        for row in range(n):
            (tmp_path / name / f"{row:03}.png").symlink_to(tmp_path / f"{row % 4}.png")
    command = [sys.executable, "-c", PEAKS, str(tmp_path / "few"), str(tmp_path / "many")]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    (n_few, before), (n_many, after) = (map(int, line.split()) for line in done)
    assert (n_few, n_many) == (60, 460)
    # 400 more images of 400x400x3 bytes would be 190 MB more.
    assert after - before < 80_000


def test_mixed_sizes_need_a_rule(tmp_path: Path) -> None:
    mixed = folder(tmp_path / "mixed", [(6, 6), (6, 6), (8, 6), (6, 6)])
    with pytest.raises(DataError, match=r"002\.png: is 6x8 pixels, 000\.png is 6x6; give resize"):
        fid(mixed, mixed, features=flat, progress=False)
    rows = feature_rows(mixed, features=flat, resize=4, progress=False)
    assert rows.x.shape == (4, 48)
    assert "4x4" in rows.protocol["resize"]
    assert rows.protocol["image"] == [3, 4, 4]

    batches = [torch.rand(2, 3, 6, 6) - 0.5, torch.rand(2, 3, 8, 8) - 0.5]
    small = torch.rand(300, 1, 12, 12) * 2 - 1
    classifier = train_classifier(load("digits"), steps=2)
    with pytest.raises(ShapeError, match=r"real: images are 1x12x12, `features` takes 1x8x8; give resize=8"):
        fid(small, small, features=classifier, progress=False)
    assert fid(small, small, features=classifier, resize=8, progress=False).value == pytest.approx(0, abs=1e-6)
    assert feature_rows(iter(batches), features=flat, resize=4, progress=False).x.shape == (4, 48)


def test_bad_images_stop_or_are_left_out(tmp_path: Path) -> None:
    where = folder(tmp_path / "images", [(8, 8)] * 12)
    (where / "005.png").write_bytes((where / "005.png").read_bytes()[:60])
    (where / "007.png").write_bytes(b"\x89PNG no image")
    with pytest.raises(DataError, match=r"00[57]\.png: unreadable image"):
        fid(where, where, features=pooled, progress=False)
    data = ImageFolder(where, skip_bad_images=True)
    assert feature_rows(data, features=pooled, batch_size=1, progress=False).x.shape == (10, 3)
    assert [name for name, _ in data.skipped] == ["005.png", "007.png"]
    with pytest.warns(UserWarning, match="few"):
        assert fid(where, where, features=flat, resize=2, skip_bad_images=True, progress=False).n_real == 10
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"empty: no images in this folder"):
        fid(empty, empty, features=pooled, progress=False)


def test_a_function_is_called_for_a_batch_at_a_time() -> None:
    asked = []

    def fresh(n: int) -> np.ndarray:
        asked.append(n)
        return RNG.normal(size=(n, 2))

    found = feature_rows(fresh, n=1000, batch_size=300, progress=False)
    assert set(asked) == {300}
    assert len(np.unique(found.x, axis=0)) == len(found) == 1000


@pytest.mark.parametrize("n", [0, 100, 256, 257, 1000])
def test_a_seeded_function_is_asked_for_all_at_once(n: int) -> None:
    """Batch after batch of the same samples would be a score of a few samples that looks like one of many."""

    def seeded(n: int) -> torch.Tensor:
        return torch.randn(n, 2, generator=torch.Generator().manual_seed(0))

    found = [torch.empty(0, 2), *drawn(seeded, "fake", n=n, batch_size=256)]
    assert torch.equal(torch.cat(found), seeded(n))


def test_a_run_is_a_source_and_its_folder_no_folder_of_images(tmp_path: Path) -> None:
    run = gancore.train("gan", "ring", steps=2, out=tmp_path / "run", progress=False)
    Image.new("RGB", (4, 4)).save(tmp_path / "run" / "samples.png")
    ring = load("ring").batch(torch.arange(500))
    found = fid(ring, tmp_path / "run", progress=False)
    assert found.n_fake == 500
    assert found.value == pytest.approx(fid(ring, run.sample(500).x, progress=False).value, rel=1e-9)


def test_loaders_of_dictionaries_are_refused() -> None:
    loader = DataLoader([{"x": torch.zeros(2)}] * 4, batch_size=2)
    with pytest.raises(DTypeError, match="real: expected batches of tensors or arrays, got dict"):
        fid(loader, loader, progress=False)


def test_features_by_name_and_by_file(tmp_path: Path) -> None:
    digits = load("digits")
    classifier = train_classifier(digits, steps=5)
    classifier.save(tmp_path / "classifier.safetensors")
    x = digits.batch(torch.arange(200))
    expected = feature_rows(x, features=classifier, progress=False)
    for name in (tmp_path, tmp_path / "classifier.safetensors", str(tmp_path)):
        found = feature_rows(x, features=name, device="cpu", progress=False)
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.protocol["weights_sha256"] == classifier.protocol["weights_sha256"]
    (tmp_path / "run").mkdir()
    with pytest.raises(DataError, match=r"classifier\.safetensors: no such file"):
        feature_rows(x, features=tmp_path / "run", progress=False)
