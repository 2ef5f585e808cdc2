from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gancore.training.ema import EMA


@given(decay=st.floats(0.0, 0.999), values=st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_follows_the_recursion(decay: float, values: list[float]) -> None:
    network = nn.Linear(1, 1, bias=False)
    ema = EMA(network, decay)
    expected = network.weight.item()
    for step, value in enumerate(values, start=1):
        with torch.no_grad():
            network.weight.fill_(value)
        ema.update(network, step)
        beta = min(decay, (1 + step) / (10 + step))
        expected = beta * expected + (1 - beta) * value
    np.testing.assert_allclose(ema.network.weight.item(), expected, rtol=1e-4, atol=1e-5)


def test_buffers_are_copied_and_the_copy_is_at_rest() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    ema = EMA(network, 0.999)
    network(torch.randn(8, 2) + 5)
    ema.update(network, 1)
    assert torch.equal(ema.network[1].running_mean, network[1].running_mean)
    assert ema.network[1].num_batches_tracked == 1
    assert not ema.network.training
    assert network.training
    assert not any(parameter.requires_grad for parameter in ema.network.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
