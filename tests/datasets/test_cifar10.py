from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gancore.datasets import load
from gancore.datasets.cifar10 import cifar10
from gancore.errors import DataError, DomainError

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = np.random.default_rng(0).integers(0, 256, (6, 3073), dtype=np.uint8)
RECORDS[:, 0] = [3, 1, 4, 1, 5, 9]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "cifar10" / "cifar-10-batches-bin"
    inner.mkdir(parents=True)
    RECORDS[:4].tofile(inner / "data_batch_1.bin")
    RECORDS[4:5].tofile(inner / "data_batch_2.bin")
    RECORDS[5:].tofile(inner / "test_batch.bin")
    return tmp_path


def test_reads_every_value_in_the_order_of_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANCORE_DATA", str(folder))
    data = load("cifar10")
    assert (data.shape, data.labels.tolist(), data.label_names[3]) == ((3, 32, 32), [3, 1, 4, 1, 5], "cat")
    expected = RECORDS[:5, 1:].reshape(5, 3, 32, 32).astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(data.batch(torch.arange(5)).numpy(), expected, atol=1e-6)
    assert load("cifar10", split="test").labels.tolist() == [9]
    assert load("cifar10", image_size=16, channels=1).shape == (1, 16, 16)


def test_what_is_no_such_folder_or_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = folder / "cifar10" / "cifar-10-batches-bin"
    (inner / "data_batch_2.bin").write_bytes(b"\0" * 100)
    with pytest.raises(DataError, match=r"data_batch_2\.bin.*3073"):
        cifar10(inner)
    wrong = RECORDS.copy()
    wrong[2, 0] = 10
    wrong.tofile(inner / "data_batch_2.bin")
    with pytest.raises(DataError, match=r"data_batch_2\.bin.*10 in record 2"):
        cifar10(inner)
    with pytest.raises(DataError, match=r"data_batch_1\.bin"):
        cifar10(folder)
    with pytest.raises(DomainError, match="split"):
        cifar10(inner, split="all")
    monkeypatch.delenv("GANCORE_DATA", raising=False)
    with pytest.raises(DataError, match="GANCORE_DATA"):
        load("cifar10")
