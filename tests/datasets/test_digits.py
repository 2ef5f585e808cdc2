from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from gancore.datasets import load
from gancore.datasets.digits import digits
from gancore.errors import DomainError


def test_equals_scikit_learns_copy() -> None:
    reference = load_digits()
    data = digits()
    values = data.batch(torch.arange(len(data)))
    assert values.dtype == torch.float32
    np.testing.assert_array_equal(values[:, 0].numpy(), reference.images / 8 - 1)
    np.testing.assert_array_equal(data.labels.numpy(), reference.target)
    assert (data.kind, data.shape, data.name) == ("image", (1, 8, 8), "digits")


def test_batch_keeps_the_order_of_its_indices() -> None:
    data = load("digits")
    whole = data.batch(torch.arange(20))
    rows = torch.tensor([7, 3, 3, 19])
    assert torch.equal(data.batch(rows), whole[rows])


def test_resize_is_pillows_bicubic_of_the_8_bit_image() -> None:
    data = digits(image_size=(12, 16), channels=3)
    assert data.shape == (3, 12, 16)
    image = np.round(load_digits().images[5] * 255 / 16).astype(np.uint8)
    resized = Image.fromarray(image).resize((16, 12), Image.Resampling.BICUBIC, box=(0, 1, 8, 7))
    expected = np.asarray(resized, dtype=np.float32) / 127.5 - 1
    got = data.batch(torch.tensor([5]))[0].numpy()
    np.testing.assert_array_equal(got, np.broadcast_to(expected, (3, 12, 16)))


@pytest.mark.parametrize("settings", [{"image_size": 0}, {"image_size": (8, -1)}, {"channels": 2}])
def test_impossible_settings(settings: dict[str, object]) -> None:
    with pytest.raises(DomainError, match=next(iter(settings))):
        digits(**settings)
