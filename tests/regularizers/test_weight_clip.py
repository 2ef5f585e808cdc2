from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gancore.networks.mlp import MLP
from gancore.regularizers.weight_clip import WeightClip


@given(limit=st.floats(1e-4, 10.0))
def test_every_parameter_is_clipped_as_numpy_clips(limit: float) -> None:
    critic = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    before = [parameter.detach().numpy().copy() for parameter in critic.parameters()]
    WeightClip(limit=limit).project(critic)
    for parameter, values in zip(critic.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.detach().numpy(), values.clip(np.float32(-limit), np.float32(limit)))


def test_bounds_the_lipschitz_constant() -> None:
    """Of a network of matrices in [-c, c]: at most the product of c times the root of rows times columns."""
    critic = MLP(width=16, depth=2).critic((3,))
    WeightClip(limit=0.05).project(critic)
    x = torch.randn(256, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    bound = 0.05**3 * (3 * 16) ** 0.5 * 16 * 16**0.5
    assert gradient.norm(dim=1).max() <= bound
