"""SeqGAN's game: likelihood first, then a critic of what came of it, then both players in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import IncompatibleChoiceError
from gancore.estimators import Estimator, Reinforce
from gancore.games._interface import Game
from gancore.networks._lstm import LSTMGenerator
from gancore.networks._text_cnn import TextCNN
from gancore.networks.sequence import Sequence
from gancore.training.watch import require_finite_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from gancore.training.state import TrainingState

__all__ = ["SeqGAN"]


@final
@dataclass(frozen=True)
class SeqGAN(Game):
    r"""Three phases, told apart by the step: what a turn is depends on the phase.

    1. For `pretrain_steps` turns, one step of maximum likelihood of the generator on a batch of real sequences.
    2. For `critic_pretrain_rounds` turns, one round of the critic: `critic_samples` real sequences and as many fresh
       fakes, gone through `critic_epochs` times in batches.
    3. From then on, `generator_steps` steps of the generator along the estimator's gradient, then `critic_rounds`
       rounds of the critic, then the estimator settles (algorithm 1: :math:`\beta \leftarrow \theta`).

    The generator's optimizer begins the third phase without memory of the first and with a learning rate of its own.
    The generator's gradients are clipped to norm `clip`.

    Parameters
    ----------
    estimator : Estimator
        How the generator learns from the critic.
    pretrain_steps, critic_pretrain_rounds : int
        Turns of the first two phases.
    generator_steps, critic_rounds, critic_epochs, critic_samples : int
        What an adversarial turn and a round of the critic are.
    policy_lr : float or None
        The generator's learning rate in the third phase, positive; None leaves that of its optimizer.
    clip : float
        Largest norm of the generator's gradients, positive.
    output_decay : float
        The critic's loss has half of it times the squared norm of its output layer added. The published 0.2, on two
        outputs under a softmax and a mean over real and fake together, is 0.2 here: one output is twice as large as
        each of the two, of opposite signs, and the loss is a sum of two means.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    L. Yu, W. Zhang, J. Wang and Y. Yu, "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient", AAAI 2017,
    algorithm 1.
    """

    estimator: Estimator = field(default_factory=Reinforce)
    pretrain_steps: int = 1500
    critic_pretrain_rounds: int = 20
    generator_steps: int = 1
    critic_rounds: int = 5
    critic_epochs: int = 1
    critic_samples: int = 640
    policy_lr: float | None = None
    clip: float = 5.0
    output_decay: float = 0.0

    discrete: ClassVar[bool] = True
    reference: ClassVar[str] = Sequence.reference

    def __post_init__(self) -> None:
        for name in ("pretrain_steps", "critic_pretrain_rounds", "critic_rounds"):
            _check.integer(name, getattr(self, name), least=0)
        for name in ("generator_steps", "critic_epochs", "critic_samples"):
            _check.integer(name, getattr(self, name), least=1)
        _check.number("clip", self.clip, above=0.0)
        _check.number("output_decay", self.output_decay, least=0.0)
        if self.policy_lr is not None:
            _check.number("policy_lr", self.policy_lr, above=0.0)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play one turn of the phase that the step belongs to; the losses that there were."""
        generator = state.generator
        if not isinstance(generator, LSTMGenerator):
            raise IncompatibleChoiceError(
                f"networks: SeqGAN needs a generator that tells likelihoods, as those of the family sequence do, "
                f"got {type(generator).__name__}"
            )
        if state.step < self.pretrain_steps:
            return self._likelihood_step(state, generator, next_batch())
        adversarial_from = self.pretrain_steps + self.critic_pretrain_rounds
        if state.step < adversarial_from:
            return self._critic_round(state, next_batch)
        if state.step == adversarial_from:
            state.optimizers["generator"].state.clear()
        if self.policy_lr is not None:
            # Said at every turn, for an optimizer that is restored has the settings it was made with.
            for group in state.optimizers["generator"].param_groups:
                group["lr"] = self.policy_lr
        losses: dict[str, Tensor] = {}
        for _ in range(self.generator_steps):
            # Compiled roll-outs and scores refuse what is not finite as bad input: say that training diverged.
            require_finite_weights(state, {})
            losses = self.estimator.losses(state)
            self._generator_step(state, losses["generator"])
        for _ in range(self.critic_rounds):
            losses |= self._critic_round(state, next_batch)
        self.estimator.settle(state)
        return {name: loss.detach() for name, loss in losses.items()}

    def _likelihood_step(self, state: TrainingState, generator: LSTMGenerator, real: Tensor) -> dict[str, Tensor]:
        with state.autocast():
            chosen = generator.log_probs(real)
        loss = -chosen.sum() / generator.mask(real).sum()
        self._generator_step(state, loss)
        return {"nll": loss.detach()}

    def _generator_step(self, state: TrainingState, loss: Tensor) -> None:
        optimizer = state.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(state.generator.parameters(), self.clip)
        optimizer.step()

    def _critic_round(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Fresh fakes and as many real sequences, all read several times; the mean loss of the last time."""
        size = state.system.batch_size
        count = -(-self.critic_samples // size)
        real = torch.cat([next_batch() for _ in range(count)])
        fake = torch.cat([state.generator(state.latents(size)) for _ in range(count)])
        losses: list[Tensor] = []
        # Dropout draws from the global generators: give them a seed of the run's own.
        seed = int(torch.randint(2**62, (), generator=state.random, device=state.device))
        with torch.random.fork_rng([state.device] if state.device.type == "cuda" else []):
            torch.manual_seed(seed)
            for _ in range(self.critic_epochs):
                order = torch.randperm(len(real), generator=state.random, device=state.device)
                losses = [self._critic_step(state, real[rows], fake[rows]) for rows in torch.split(order, size)]
        return {"critic": torch.stack(losses).mean()}

    def _critic_step(self, state: TrainingState, real: Tensor, fake: Tensor) -> Tensor:
        """One step of the critic on its objective; the loss without the penalty, detached."""
        critic, optimizer = state.critic, state.optimizers["critic"]
        with state.autocast():
            outputs = critic(torch.cat((real, fake))).float()
        on_real, on_fake = torch.split(outputs, len(real))
        loss = state.system.objective.critic(on_real, on_fake)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss + self._penalty(critic))
        optimizer.step()
        return loss.detach()

    def _penalty(self, critic: nn.Module) -> Tensor | float:
        if self.output_decay == 0:
            return 0.0
        if not isinstance(critic, TextCNN):
            raise IncompatibleChoiceError(
                f"output_decay: needs the critic of the family sequence, got {type(critic).__name__}"
            )
        return 0.5 * self.output_decay * sum(parameter.square().sum() for parameter in critic.output_parameters())
