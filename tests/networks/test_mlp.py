from __future__ import annotations

import torch
from torch import nn

from gancore.networks.mlp import MLP


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def test_depth_and_width_are_those_of_the_hidden_layers() -> None:
    family = MLP(width=7, depth=4)
    sizes = [(layer.in_features, layer.out_features) for layer in linear_layers(family.generator((1, 4, 4), 5))]
    assert sizes == [(5, 7), (7, 7), (7, 7), (7, 7), (7, 16)]
    sizes = [(layer.in_features, layer.out_features) for layer in linear_layers(family.critic((3,)))]
    assert sizes == [(3, 7), (7, 7), (7, 7), (7, 7), (7, 1)]


def test_points_are_not_bounded() -> None:
    generator = MLP(width=8).generator((2,), 4)
    with torch.no_grad():
        linear_layers(generator)[-1].bias.fill_(50.0)
    assert generator(torch.randn(3, 4)).max() > 10
