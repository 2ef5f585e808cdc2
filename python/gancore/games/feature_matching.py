"""Feature matching: the generator matches the mean of what the critic computes, not its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import nn

from gancore import _check
from gancore.errors import IncompatibleChoiceError
from gancore.games._interface import Game
from gancore.games._steps import critic_step, frozen, perturbed, step
from gancore.objectives.label_smoothing import LabelSmoothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["FeatureMatching"]


@final
@dataclass(frozen=True)
class FeatureMatching(Game):
    r"""Critic steps on the objective, then a generator step on the distance of mean features.

    .. math::
        L_G = \bigl\lVert E\, f(x) - E\, f(G(z)) \bigr\rVert_2^2

    with f the input of the critic's last linear layer. The objective's generator loss is not used. The generator cannot
    outrun the critic, which is shown nothing to be sure of but features it finds telling; samples are less sharp, and a
    classifier that shares the critic's body learns more.

    Parameters
    ----------
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If there is not at least one critic step.
    IncompatibleChoiceError
        When a turn is played with a critic that has no linear layer.

    References
    ----------
    T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.1.
    """

    critic_steps: int = 1

    reference: ClassVar[str] = LabelSmoothing.reference

    def __post_init__(self) -> None:
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps and one generator step; its loss is the squared distance of mean features."""
        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real)
        with frozen(state.optimizers["critic"]):
            with state.autocast():
                fake = perturbed(state, state.forward["generator"](state.latents(len(real))))
                with torch.no_grad():
                    on_real = _features(state.critic, perturbed(state, real))
                on_fake = _features(state.critic, fake)
            wanted, got = state.processes.mean([on_real.float().mean(dim=0), on_fake.float().mean(dim=0)])
            return losses | step(state, "generator", {"generator": (wanted - got).square().sum()})


def _features(critic: nn.Module, samples: Tensor) -> Tensor:
    """What goes into the critic's last linear layer."""
    layers = [module for module in critic.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise IncompatibleChoiceError(
            "game: feature_matching compares what goes into the critic's last linear layer; this critic has none"
        )
    seen: list[Tensor] = []

    def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(inputs[0])

    handle = layers[-1].register_forward_pre_hook(note)
    try:
        critic(samples)
    finally:
        handle.remove()
    return seen[-1].flatten(1)
