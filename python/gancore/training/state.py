"""Everything that a step of training reads and changes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from gancore.games._look import look
from gancore.priors import sample_prior
from gancore.training.device import resolve_compiler
from gancore.training.ema import EMA
from gancore.training.fit import require_fitting
from gancore.training.layout import with_channels_last
from gancore.training.processes import Processes
from gancore.training.randomness import derive, isolated

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from gancore.games._look import Seen
    from gancore.systems._interface import System
    from gancore.training.device import Precision

__all__ = ["TrainingState", "build_networks"]


@dataclass(kw_only=True, eq=False)
class TrainingState:
    """The players, their optimizers, the randomness and the counters of a run: what a checkpoint holds.

    Attributes
    ----------
    system : System
        The recipe that is followed.
    networks : dict of str to Module
        Under ``generator`` and ``critic``; a game with more players has more.
    optimizers : dict of str to Optimizer
        Under the same names.
    forward : dict of str to callable
        The networks as a game should call them: themselves, or compiled.
    look : callable
        All that a step of the critic asks of it, penalties included, as one function that may be compiled:
        :func:`gancore.games._look.look`.
    averages : dict of str to EMA
        Under the same names; empty if the system keeps no averages.
    random : torch.Generator
        Source of latent codes and of the penalties' randomness; its device is the run's.
    precision : {"float32", "bfloat16"}
        Of the networks' forward passes.
    processes : Processes
        Those that share the run's batches; one alone by default.
    backward : callable
        Computes the gradients of a loss in the parameters; ``torch.autograd.backward`` by default.
    memory : dict of str to Tensor
        What the game remembers between turns, such as a multiplier.
    step : int
        Generator steps done.
    drawn : int
        Samples drawn from the data: the position in its order.
    seconds : float
        Time spent training, over all sessions of the run.
    """

    system: System
    networks: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    forward: dict[str, Callable[[Tensor], Tensor]]
    look: Callable[..., Seen]
    averages: dict[str, EMA]
    random: torch.Generator
    precision: Precision
    processes: Processes = field(default_factory=Processes)
    backward: Callable[[Tensor], object] = torch.autograd.backward
    memory: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    drawn: int = 0
    seconds: float = 0.0

    @classmethod
    def create(
        cls,
        system: System,
        shape: tuple[int, ...],
        *,
        seed: int,
        device: torch.device,
        precision: Precision,
        compiled: bool | str = False,
        processes: Processes | None = None,
        backward: Callable[[Tensor], object] | None = None,
    ) -> TrainingState:
        """The state before the first step: it follows from the seed alone, on every device."""
        compiles = resolve_compiler(("inductor" if compiled is True else compiled) or None)
        networks = {name: network.to(device) for name, network in build_networks(system, shape, seed).items()}
        require_fitting(networks, system, shape)
        settings = {"generator": system.generator_optimizer, "critic": system.critic_optimizer}
        return cls(
            system=system,
            networks=networks,
            optimizers={name: settings[name].build(network.parameters()) for name, network in networks.items()},
            forward={name: compiles(net) for name, net in networks.items()},
            look=compiles(look),
            averages={} if system.ema is None else {name: EMA(net, system.ema) for name, net in networks.items()},
            random=torch.Generator(device).manual_seed(derive(seed, "latents")),
            precision=precision,
            processes=processes or Processes(),
            backward=backward or torch.autograd.backward,
        )

    @property
    def generator(self) -> nn.Module:
        """The generator as it is trained, not averaged."""
        return self.networks["generator"]

    @property
    def critic(self) -> nn.Module:
        """The critic as it is trained, not averaged."""
        return self.networks["critic"]

    @property
    def device(self) -> torch.device:
        """Where the run computes."""
        return self.random.device

    def latents(self, n: int) -> Tensor:
        """Fresh latent codes of shape (n, latent_dim)."""
        return sample_prior(n, self.system.latent_dim, self.system.prior, self.random)

    def autocast(self) -> AbstractContextManager[object]:
        """The context of the networks' forward passes."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()


def build_networks(system: System, shape: tuple[int, ...], seed: int) -> dict[str, nn.Module]:
    """Untrained networks on the CPU, as a run with this seed starts from."""
    with isolated(derive(seed, "networks")):
        networks = {
            "generator": system.networks.generator(shape, system.latent_dim),
            "critic": system.networks.critic(shape, system.objective.outputs),
        }
    if system.networks.channels_last:
        return {name: with_channels_last(network) for name, network in networks.items()}
    return networks
