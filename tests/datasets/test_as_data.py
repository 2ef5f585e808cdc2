from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from gancore.datasets import Data, as_data, load
from gancore.errors import (
    DataError,
    DomainError,
    DTypeError,
    IncompatibleChoiceError,
    ShapeError,
    UnknownNameError,
)

IMAGES = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.arange(6)


class Listed(Dataset):
    """Items as given: what a script's own dataset looks like."""

    def __init__(self, items: list) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> object:
        return self.items[index]


def whole(data: Data) -> torch.Tensor:
    return data.batch(torch.arange(len(data)))


@pytest.mark.parametrize(
    "source",
    [
        IMAGES,
        IMAGES.double(),
        IMAGES[:, 0],
        IMAGES.numpy(),
        IMAGES.numpy()[::-1][::-1],
        TensorDataset(IMAGES),
        TensorDataset(IMAGES, LABELS),
        Listed(list(IMAGES)),
        Listed(list(IMAGES[:, 0])),
        Listed(list(IMAGES.numpy())),
        Listed([(image, index) for index, image in enumerate(IMAGES)]),
        Subset(TensorDataset(torch.cat((IMAGES, IMAGES)), torch.arange(12)), range(6)),
        DataLoader(TensorDataset(IMAGES), batch_size=4, shuffle=True, drop_last=True),
        DataLoader(Listed(list(IMAGES)), batch_size=None),
    ],
)
def test_anything_a_script_has_reads_the_same(source: object) -> None:
    data = as_data(source)
    assert (len(data), data.shape, data.kind) == (6, (1, 4, 4), "image")
    assert whole(data).dtype == torch.float32
    torch.testing.assert_close(whole(data), IMAGES, rtol=0, atol=0)
    rows = torch.tensor([5, 0, 5])
    torch.testing.assert_close(data.batch(rows), IMAGES[rows], rtol=0, atol=0)


@pytest.mark.parametrize(
    "source",
    [
        TensorDataset(IMAGES, LABELS),
        Listed([(image, index) for index, image in enumerate(IMAGES)]),
        Listed([(image, torch.tensor(index)) for index, image in enumerate(IMAGES)]),
        Listed([(image, np.int64(index), "more") for index, image in enumerate(IMAGES)]),
    ],
)
def test_labels_of_pairs(source: object) -> None:
    labels = as_data(source).labels
    assert labels.dtype == torch.int64
    assert labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    "source", [IMAGES, TensorDataset(IMAGES, IMAGES), Listed([(image, "cat") for image in IMAGES])]
)
def test_what_is_not_an_integer_is_no_label(source: object) -> None:
    assert as_data(source).labels is None


def test_uint8_is_scaled_and_float_is_not() -> None:
    raw = torch.tensor([0, 51, 255], dtype=torch.uint8).expand(2, 1, 1, 3)
    expected = torch.tensor([-1.0, -0.6, 1.0])
    for source in (raw, Listed(list(raw))):
        torch.testing.assert_close(whole(as_data(source))[0, 0, 0], expected)


def test_points() -> None:
    points = torch.tensor([[5.0, -7.0], [100.0, 0.5]])
    for source in (points, points.numpy(), Listed(list(points))):
        data = as_data(source)
        assert (data.kind, data.shape) == ("points", (2,))
        assert torch.equal(whole(data), points)


def test_data_passes_through_and_names_load() -> None:
    data = load("digits")
    assert as_data(data) is data
    assert len(as_data("digits")) == len(data)
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        as_data("digit")


def test_names() -> None:
    assert as_data(IMAGES).name == "tensor"
    assert as_data(IMAGES.numpy(), name="faces").name == "faces"
    assert as_data(DataLoader(Listed(list(IMAGES)))).name == "Listed"


@pytest.mark.parametrize("source", [IMAGES.abs(), Listed(list(IMAGES.abs()))])
def test_images_without_a_negative_value_warn(source: object) -> None:
    with pytest.warns(UserWarning, match=r"pass 2 \* x - 1"):
        as_data(source)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x.numpy(), lambda x: Listed(list(x))])
def test_values_outside_the_domain(make) -> None:
    with pytest.raises(DomainError, match=r"got values in \[.*255\]"):
        as_data(make(IMAGES.abs() / IMAGES.max() * 255))
    with pytest.raises(DomainError, match="nan"):
        as_data(make(torch.full_like(IMAGES, torch.nan)))


def test_rounding_is_forgiven() -> None:
    edge = IMAGES.clone()
    edge[0] = 1 + 2e-7
    assert whole(as_data(edge)).max() > 1


def test_a_dataset_is_checked_as_it_is_read() -> None:
    items = [*IMAGES, torch.zeros(1, 5, 5), torch.full((1, 4, 4), torch.nan), IMAGES[0] * 200, "text"]
    data = as_data(Listed(items))
    for row, error in ((6, ShapeError), (7, DomainError), (8, DomainError), (9, DTypeError)):
        with pytest.raises(error, match=rf"Listed\[{row}\]"):
            data.batch(torch.tensor([row]))


class Endless(IterableDataset):
    def __iter__(self):
        return iter(IMAGES)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (None, DTypeError),
        ([1, 2], DTypeError),
        (lambda n: IMAGES[:n], DTypeError),
        (IMAGES.long(), DTypeError),
        (IMAGES > 0, DTypeError),
        (torch.zeros(3), ShapeError),
        (torch.zeros(2, 2, 2, 2, 2), ShapeError),
        (torch.zeros(0, 1, 4, 4), ShapeError),
        (torch.zeros(1, 1, 4, 4, device="meta"), RuntimeError),
        (Listed([]), DataError),
        (Listed([{"image": IMAGES[0]}]), DTypeError),
        (Endless(), DTypeError),
        (DataLoader(Endless()), DTypeError),
    ],
)
def test_what_cannot_be_data(source: object, error: type) -> None:
    with pytest.raises(error):
        as_data(source)


PAIRS = TensorDataset(IMAGES, LABELS)


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(PAIRS, sampler=SubsetRandomSampler([0, 1])),
        DataLoader(PAIRS, sampler=RandomSampler(PAIRS, num_samples=2)),
        DataLoader(PAIRS, collate_fn=lambda items: torch.stack([item[0] * 2 for item in items])),
        DataLoader(PAIRS, batch_sampler=[[0, 1], [2]]),
    ],
)
def test_a_loader_that_does_more_than_shuffle_is_refused(loader: DataLoader) -> None:
    with pytest.raises(IncompatibleChoiceError, match="Subset"):
        as_data(loader)
