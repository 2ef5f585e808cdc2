from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gancore.errors import IncompatibleChoiceError
from gancore.networks.dcgan import DCGAN

SIDES = st.integers(1, 12).map(lambda quarter: 4 * quarter)


@given(st.integers(1, 5), SIDES, SIDES, st.integers(0, 2))
@settings(max_examples=40)
def test_any_channels_and_any_multiple_of_four(channels: int, height: int, width: int, extra: int) -> None:
    family = DCGAN(width=2, extra_layers=extra)
    x = family.generator((channels, height, width), 3)(torch.randn(2, 3))
    assert x.shape == (2, channels, height, width)
    assert family.critic((channels, height, width))(x).shape == (2,)


@pytest.mark.parametrize("shape", [(1, 6, 8), (1, 8, 2), (3, 0, 4), (3, 30, 30)])
def test_other_sides_raise(shape: tuple[int, ...]) -> None:
    with pytest.raises(IncompatibleChoiceError, match="multiples of 4"):
        DCGAN().generator(shape, 8)


def test_points_are_referred_to_networks_that_make_them() -> None:
    with pytest.raises(IncompatibleChoiceError, match="mlp"):
        DCGAN().critic((2,))


def test_the_net_of_the_paper() -> None:
    """Radford et al. 2016, figure 1, at 64x64: 4x4x1024, then 512, 256, 128 channels, then the image."""
    generator = DCGAN(width=128, extra_layers=0).generator((3, 64, 64), 100)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [(m.in_channels, m.out_channels) for m in convolutions] == [(1024, 512), (512, 256), (256, 128), (128, 3)]
    assert all(m.stride == (2, 2) for m in convolutions)
    first = next(m for m in generator.modules() if isinstance(m, nn.Linear))
    assert (first.in_features, first.out_features) == (100, 1024 * 4 * 4)


def test_batch_norm_everywhere_but_at_the_ends() -> None:
    generator, critic = DCGAN(width=4).generator((1, 32, 32), 8), DCGAN(width=4).critic((1, 32, 32))
    assert isinstance(generator[-1], nn.Tanh)
    assert isinstance(generator[-2], nn.ConvTranspose2d)
    kinds = [type(module) for module in critic]
    assert kinds[:2] == [nn.Conv2d, nn.LeakyReLU], "no norm in the critic's first layer"
    assert kinds[-3:] == [nn.Flatten, nn.Linear, nn.Flatten], "nor in its last"
    assert kinds.count(nn.BatchNorm2d) == kinds.count(nn.Conv2d) - 1


def test_initial_weights_are_normal_with_the_papers_spread() -> None:
    torch.manual_seed(0)
    network = DCGAN(width=32).critic((3, 32, 32))
    weights = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d)])
    error = 4 / math.sqrt(len(weights))
    assert abs(weights.mean().item()) < 0.02 * error
    assert abs(weights.std().item() / 0.02 - 1) < error
    scales = torch.cat([m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert abs(scales.mean().item() - 1) < 0.02
    assert 0.01 < scales.std().item() < 0.03
    assert all(not m.bias.any() for m in network.modules() if isinstance(m, nn.BatchNorm2d))
