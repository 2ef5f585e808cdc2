"""Steps are those of the numbers, wherever in memory they lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from gancore import systems
from gancore.games._descend import descend
from gancore.networks import NetworkFamily, Norm
from gancore.networks.dcgan import DCGAN
from gancore.training import train
from gancore.training.layout import laid_out_as, with_channels_last
from gancore.training.optimizers import SGD, Adam

LAST = torch.channels_last


def test_values_take_the_parameters_order_and_stay_what_they_are() -> None:
    values = torch.arange(24.0).view(2, 3, 2, 2)
    parameter = torch.zeros(2, 3, 2, 2).contiguous(memory_format=LAST)
    found = laid_out_as(parameter, values)
    assert torch.equal(found, values)
    assert found.stride() == parameter.stride()
    assert laid_out_as(values, values) is values
    count = torch.ones(())
    assert laid_out_as(parameter, count) is count


def test_networks_compute_the_same_with_channels_last() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(16, 1))
    images = torch.randn(2, 3, 4, 4)
    before = network(images)
    torch.testing.assert_close(with_channels_last(network)(images), before)
    assert network[0].weight.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("settings", [Adam(), SGD(momentum=0.9)])
def test_gradients_in_another_order_make_the_same_step(settings: Adam | SGD) -> None:
    """Fused kernels read both as they lie: unordered, this step was wrong by the whole learning rate."""
    weight, gradient = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
    steps = []
    for order in (torch.contiguous_format, LAST):
        parameter = torch.nn.Parameter(weight.clone().contiguous(memory_format=order))
        optimizer = settings.build([parameter])
        for _ in range(2):
            descend(optimizer, [parameter], [gradient])
        steps.append(parameter.detach())
    torch.testing.assert_close(steps[0], steps[1])


class Viewing(nn.Module):
    """As critics are often written: features as they lie in memory, which must be the order of the axes."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.last = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        flat = self.last(features.view(len(x), -1)) + x.view(len(x), -1).mean(1, keepdim=True)
        return flat.view(-1)


@dataclass(frozen=True)
class Own(NetworkFamily):
    critic_norm: Norm = "none"
    reference: ClassVar[str] = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        return DCGAN(width=2).generator(shape, latent_dim)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        return Viewing()


@pytest.mark.parametrize("name", ["wgan_gp", "dcgan", "r3gan"])
def test_networks_of_users_find_their_images_as_the_axes_stand(name: str) -> None:
    """Of one critic step with real and fake samples together, with penalties, and apart, with a paired objective."""
    system = replace(systems.get(name)(batch_size=4), networks=Own(), name="custom")
    images = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 1.8 - 0.9
    assert train(system, images, steps=2, device="cpu", progress=False).step == 2
