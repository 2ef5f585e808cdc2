from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gancore.errors import DomainError
from gancore.networks.mlp import MLP
from gancore.regularizers.weight_clip import WeightClip


@given(limit=st.floats(1e-4, 10.0))
def test_every_parameter_is_clipped_as_numpy_clips(limit: float) -> None:
    critic = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    before = [parameter.detach().numpy().copy() for parameter in critic.parameters()]
    WeightClip(limit=limit).project(critic, step=0)
    for parameter, values in zip(critic.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.detach().numpy(), values.clip(np.float32(-limit), np.float32(limit)))


def test_bounds_the_lipschitz_constant() -> None:
    """Of a network of matrices in [-c, c]: at most the product of c times the root of rows times columns."""
    critic = MLP(width=16, depth=2).critic((3,))
    WeightClip(limit=0.05).project(critic, step=0)
    x = torch.randn(256, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    bound = 0.05**3 * (3 * 16) ** 0.5 * 16 * 16**0.5
    assert gradient.norm(dim=1).max() <= bound


def test_the_limit_goes_geometrically_to_its_end() -> None:
    clip = WeightClip(limit=0.1, final=0.001, anneal_steps=100)
    assert clip.at(0) == pytest.approx(0.1)
    assert clip.at(50) == pytest.approx(0.01)
    assert clip.at(100) == clip.at(10_000) == pytest.approx(0.001)
    critic = torch.nn.Linear(3, 3)
    clip.project(critic, step=50)
    assert critic.weight.abs().max().item() == pytest.approx(0.01)


@pytest.mark.parametrize("setting", [{"final": 0.1}, {"anneal_steps": 3}, {"final": -1.0, "anneal_steps": 3}])
def test_annealing_needs_both_an_end_and_a_time(setting: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=r"anneal_steps|final"):
        WeightClip(**setting)
