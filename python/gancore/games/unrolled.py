"""Unrolled game: the generator plays against the critic as it will be some steps ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import IncompatibleChoiceError
from gancore.games._descend import descend
from gancore.games._interface import Game
from gancore.games._steps import critic_step, perturbed
from gancore.objectives._interface import PairedObjective
from gancore.training.optimizers import Unrollable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Unrolled"]


@final
@dataclass(frozen=True)
class Unrolled(Game):
    r"""One critic step, then a generator step through `steps` further steps of the critic's own optimizer.

    .. math::
        \psi_{k+1} = \psi_k - \Delta\bigl(\nabla_\psi L_D(\theta, \psi_k)\bigr), \qquad
        \theta \leftarrow \text{step along } \frac{d}{d\theta}\, L_G\bigl(\theta, \psi_K(\theta)\bigr)

    with :math:`\Delta` the critic's optimizer, its moments carried along. The derivative contains how the critic would
    answer, so that moving all samples to one mode does not pay. The critic itself keeps only its own step: parameters,
    buffers and moments are left bit for bit as that step made them. Penalties and projections act in that step and not
    in the unrolled ones. Time and memory grow linearly in `steps`. With none it is the alternating game.

    Parameters
    ----------
    steps : int
        K, how far the generator looks ahead.

    Raises
    ------
    DomainError
        If the number of steps is negative.

    References
    ----------
    L. Metz, B. Poole, D. Pfau and J. Sohl-Dickstein, "Unrolled Generative Adversarial Networks", ICLR 2017, section 2.
    """

    steps: int = 5

    reference: ClassVar[str] = """\
@inproceedings{metz2017unrolled,
  title     = {Unrolled Generative Adversarial Networks},
  author    = {Metz, Luke and Poole, Ben and Pfau, David and Sohl-Dickstein, Jascha},
  booktitle = {International Conference on Learning Representations},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("steps", self.steps, least=0)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play one critic step and one generator step; return the losses, the generator's against the critic ahead."""
        real = next_batch()
        losses = critic_step(state, real)
        loss = self._ahead(state, real)
        generator = list(state.generator.parameters())
        # Of the generator's parameters alone: the graph holds the critic's as constants.
        gradients = state.processes.mean(torch.autograd.grad(loss, generator))
        descend(state.optimizers["generator"], generator, gradients)
        return {**losses, "generator": loss.detach()}

    def _ahead(self, state: TrainingState, real: Tensor) -> Tensor:
        """The generator's loss against the critic after the unrolled steps."""
        settings, objective = state.system.critic_optimizer, state.system.objective
        if not isinstance(settings, Unrollable):
            raise IncompatibleChoiceError(
                f"critic_optimizer: {type(settings).__name__} cannot be differentiated; unrolling knows Adam and SGD"
            )
        if state.precision != "float32":
            raise IncompatibleChoiceError("precision: unrolling needs float32, for it differentiates twice")
        if state.backward is not torch.autograd.backward:
            raise IncompatibleChoiceError("backward: unrolling calls none, and differentiates twice")
        critic = state.critic
        named = dict(critic.named_parameters())
        parameters = [p.detach().clone().requires_grad_() for p in named.values()]
        memory = settings.memory(state.optimizers["critic"], list(named.values()))
        buffers = {name: buffer.clone() for name, buffer in critic.named_buffers()}
        real, fake = perturbed(state, real), perturbed(state, state.generator(state.latents(len(real))))

        def judge(x: Tensor) -> Tensor:
            known = {**dict(zip(named, parameters, strict=True)), **buffers}
            output: Tensor = torch.func.functional_call(critic, known, (x,))
            return output

        for _ in range(self.steps):
            owed = objective.critic(*state.processes.whole(judge(real), judge(fake)))
            gradients = state.processes.mean(torch.autograd.grad(owed, parameters, create_graph=True))
            parameters, memory = settings.unrolled(parameters, gradients, memory)
        (on_fake,) = state.processes.whole(judge(fake))
        if isinstance(objective, PairedObjective):
            (on_real,) = state.processes.whole(judge(real).detach())
            return objective.generator(on_real, on_fake)
        return objective.generator(on_fake)
