"""Small data and small systems that training tests share."""

from __future__ import annotations

import inspect
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gancore import systems
from gancore.datasets import Data
from gancore.datasets.text import Tokens
from gancore.networks.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.systems import System


class NoisyImages(Data):
    """Twenty images with augmentation that draws on every global generator, as users' datasets do."""

    name = "noisy"
    kind = "image"
    shape = (1, 8, 8)

    def __init__(self) -> None:
        self.images = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
        self.asked: list[list[int]] = []

    @property
    def labels(self) -> None:
        return None

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: torch.Tensor) -> torch.Tensor:
        self.asked.append(indices.tolist())
        noise = torch.randn(len(indices), 1, 1, 1) + random.gauss(0, 1) + np.random.standard_normal()  # noqa: NPY002
        return self.images[indices] + 0.01 * noise


@pytest.fixture
def data(request: pytest.FixtureRequest) -> Data:
    """Images, or sequences of tokens where the test is of a system that makes those."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name in systems.names() and isinstance(systems.get(name)().networks, Sequence):
        return Tokens(torch.randint(7, (20, 5), generator=torch.Generator().manual_seed(0)), size=7)
    return NoisyImages()


@pytest.fixture(scope="session")
def small() -> Callable[..., System]:
    """A registered system with networks so small that a step takes milliseconds."""

    def make(name: str = "gan", **choices: object) -> System:
        recipe = systems.get(name)
        phases = {"pretrain_steps": 2, "critic_pretrain_rounds": 2, "critic_samples": 12, "n_rollouts": 2}
        wanted = {"width": 4, "batch_size": 6, "latent_dim": 5} | phases | choices
        return recipe(**{key: value for key, value in wanted.items() if key in inspect.signature(recipe).parameters})

    return make
