from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.training.order import DataOrder


@given(n=st.integers(1, 30), seed=st.integers(0, 5), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_reading_in_pieces_is_reading_at_once(n: int, seed: int, cuts: list[int]) -> None:
    """Whatever the batch sizes, and from a fresh object each time: the position is the whole state."""
    whole = DataOrder(n, seed).indices(0, sum(cuts))
    position, pieces = 0, []
    for count in cuts:
        pieces.append(DataOrder(n, seed).indices(position, count))
        position += count
    assert torch.equal(torch.cat(pieces), whole)
    assert whole.dtype == torch.int64


@given(n=st.integers(2, 30), seed=st.integers(0, 5), epoch=st.integers(0, 4))
def test_an_epoch_has_every_index_once(n: int, seed: int, epoch: int) -> None:
    assert sorted(DataOrder(n, seed).indices(epoch * n, n).tolist()) == list(range(n))


def test_epochs_and_seeds_differ() -> None:
    order = DataOrder(50, 0)
    first = order.indices(0, 50)
    assert not torch.equal(first, order.indices(50, 50))
    assert not torch.equal(first, DataOrder(50, 1).indices(0, 50))
