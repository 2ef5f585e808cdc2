"""A rival's step: mimicry's networks trained by mimicry's steps and by the engine, with mimicry's settings.

``python -m pip install --no-deps torch-mimicry`` is enough: of torch-mimicry 0.1.16 only the networks, their training
steps and the log are imported. The rest of it, which it imports of itself, needs TensorFlow and scikit-image.

Both take as many optimizer steps, on the same losses; the former are counted. They differ in what is not needed:
mimicry's generator step computes gradients of the critic too, fakes for the critic carry a graph until they are
detached, and all losses and probabilities are read after every step. Where a critic judges each sample alone, the
engine shows it real and fake samples in one batch (spectral norms are then estimated once a step). Penalties are the
same but for 1e-12 under gancore's root.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import sys
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, final

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from gancore import systems, train
from gancore.networks import NetworkFamily, Norm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture
    from torch import Tensor

    from gancore.systems import System

torch.set_num_threads(1)

SHAPE, LATENT = (3, 32, 32), 128

SETTINGS = {
    "wgan_gp": {"critic_steps": 5, "lr": 1e-4, "beta1": 0.0, "beta2": 0.9},
    "sngan": {"critic_steps": 5, "lr": 2e-4, "beta1": 0.0, "beta2": 0.9},
    "dcgan": {"critic_steps": 1, "lr": 2e-4, "beta1": 0.5},
}
"""Those that mimicry publishes for 32 x 32."""


@pytest.fixture(scope="module")
def mimicry() -> Iterator[dict[str, Any]]:
    """Its networks by system, and its log; packages are entered without their ``__init__``, which imports all."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("torch_mimicry", "torch_mimicry.training"):
            if (spec := importlib.util.find_spec(name)) is None:
                pytest.skip("needs torch-mimicry")
            package = ModuleType(name)
            package.__path__ = list(spec.submodule_search_locations or ())
            patched.setitem(sys.modules, name, package)
        nets = {name: importlib.import_module(f"torch_mimicry.nets.{name}") for name in SETTINGS}
        yield {**nets, "log": importlib.import_module("torch_mimicry.training.metric_log").MetricLog}


@final
@dataclass(frozen=True)
class Theirs(NetworkFamily):
    """Mimicry's generator and discriminator of a system, in any width."""

    networks: ModuleType
    width: int
    critic_norm: Norm

    channels_last: ClassVar[bool] = True
    reference: ClassVar[str] = "Lee and Town, Mimicry: Towards the Reproducibility of GAN Research (2020)"

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        assert shape == SHAPE
        return self._made("Generator32", nz=latent_dim, ngf=self.width)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        assert (shape, outputs) == (SHAPE, 1)
        return nn.Sequential(self._made("Discriminator32", ndf=self.width), nn.Flatten(0))

    def _made(self, ending: str, **settings: int) -> nn.Module:
        (name,) = (name for name in dir(self.networks) if name.endswith(ending))
        made: nn.Module = getattr(self.networks, name)(**settings)
        return made


def engine(system: System, images: Tensor, steps: int) -> None:
    train(system, images, steps=steps, device="cpu", log_every=steps, progress=False)


def trainer(system: System, images: Tensor, steps: int, log_of: Callable[[], Any]) -> None:
    """The loop of mimicry's Trainer, without its files."""
    generator, critic = system.networks.generator(SHAPE, LATENT), system.networks.critic(SHAPE)[0]
    adam = system.critic_optimizer
    for_generator, for_critic = (
        torch.optim.Adam(n.parameters(), lr=adam.lr, betas=(adam.beta1, adam.beta2)) for n in (generator, critic)
    )
    told = {"device": torch.device("cpu"), "scaler": None}
    labels = torch.zeros(system.batch_size)
    for step in range(steps):
        told |= {"log_data": log_of(), "global_step": step}
        for _ in range(system.game.critic_steps):
            batch = images[torch.randint(len(images), (system.batch_size,))], labels
            critic.train_step(batch, netG=generator, optD=for_critic, **told)
        generator.train_step(batch, netD=critic, optG=for_generator, **told)


def optimizer_steps(run: Callable[[], object]) -> list[int]:
    """How many steps each optimizer takes in it."""
    counts: Counter[int] = Counter()
    handle = register_optimizer_step_post_hook(lambda optimizer, *_: counts.update([id(optimizer)]))
    try:
        run()
    finally:
        handle.remove()
    return sorted(counts.values())


@pytest.mark.parametrize("name", SETTINGS)
def test_images_per_second(
    benchmark: BenchmarkFixture,
    mimicry: dict[str, Any],
    name: str,
    small: bool,
    in_turns: Callable[..., list[tuple[float, ...]]],
) -> None:
    """Real images that the critic sees in a second of CPU time; mimicry's own width is 128 to 256."""
    width, batch, steps, rounds = (4, 4, 1, 1) if small else (32, 64, 2, 5)
    networks = Theirs(mimicry[name], width, "spectral" if name == "sngan" else "none")
    recipe = systems.get(name)(batch_size=batch, latent_dim=LATENT, ema=None, **SETTINGS[name])
    system = replace(recipe, networks=networks, name="custom")
    images = torch.rand(256, *SHAPE, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def ours() -> None:
        engine(system, images, steps)

    def theirs() -> None:
        trainer(system, images, steps, mimicry["log"])

    critic_steps = system.game.critic_steps
    assert optimizer_steps(ours) == optimizer_steps(theirs) == sorted([steps, steps * critic_steps])
    spent = in_turns(ours, theirs, rounds=rounds)
    benchmark.pedantic(ours, rounds=1)
    benchmark.extra_info |= {
        "torch": torch.__version__,
        "torch-mimicry": version("torch-mimicry"),
        "images_per_cpu_second": steps * batch * critic_steps / statistics.median(spent[0]),
        "of_mimicry": steps * batch * critic_steps / statistics.median(spent[1]),
        "ratio": statistics.median(b / a for a, b in zip(*spent, strict=True)),
    }
