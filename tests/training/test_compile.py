"""Compiled networks and critic steps learn what uncompiled ones do, in whole graphs, penalties included."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch._dynamo.utils import counters

from gancore.errors import ConfigError
from gancore.training import train
from gancore.training.optimizers import SGD
from gancore.training.state import build_networks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}
POINTS = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch's tracer looks at its inputs


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


def learns_the_same(system: System, data: object, backend: str | bool, *, generator_lr: float = 0.01) -> None:
    # Adam would blow gradients that are zero but for rounding, such as that of a Wasserstein critic's last bias, up to
    # whole steps; and it would hide gradients that are wrong by a factor.
    for_generator, for_critic = (SGD(lr=lr, momentum=0.5) for lr in (generator_lr, 0.01))
    system = replace(system, generator_optimizer=for_generator, critic_optimizer=for_critic)
    eager = train(system, data, steps=3, **QUIET)
    compiled = train(system, data, steps=3, compile=backend, **QUIET)
    assert counters["frames"]["ok"] > 0
    assert not counters["graph_break"]
    for player, start in build_networks(system.fitted(eager.shape), eager.shape, seed=0).items():
        ours, theirs = weights(getattr(compiled, player)), weights(getattr(eager, player))
        assert (theirs - weights(start)).abs().max() > 1e-4, "there is something to compare"
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["wgan_gp", "r3gan", "sngan"])
def test_the_critic_step_is_one_graph_with_its_penalties(name: str, small: Callable[..., System]) -> None:
    learns_the_same(small(name, networks="mlp"), POINTS, "aot_eager")


def test_batch_normalisation_and_layer_normalisation_compile(small: Callable[..., System], data: Data) -> None:
    learns_the_same(small("dcgan"), data, "eager")
    learns_the_same(small("wgan_gp", critic_norm="layer"), data, "eager")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.parametrize(("name", "generator_lr"), [("wgan_gp", 10.0), ("dcgan", 0.01)])
def test_the_default_backend_learns_the_same(
    name: str, generator_lr: float, small: Callable[..., System], data: Data
) -> None:
    learns_the_same(small(name), data, True, generator_lr=generator_lr)


def test_a_backend_that_is_not_there_is_named(small: Callable[..., System]) -> None:
    with pytest.raises(ConfigError, match=r"compile: .*'nonesuch'"):
        train(small(), POINTS, steps=1, compile="nonesuch", **QUIET)
