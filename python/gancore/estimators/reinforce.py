"""REINFORCE: roll-outs say what each token was worth, and worthier tokens become likelier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final, get_args

import torch
from torch.nn.functional import logsigmoid

from gancore import _check
from gancore._at_rest import at_rest
from gancore.errors import DomainError
from gancore.estimators._interface import Estimator
from gancore.networks._lstm import LSTMGenerator
from gancore.networks._rollout import rollout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from gancore.training.state import TrainingState

__all__ = ["Baseline", "Reinforce", "Reward", "advantages", "q_values", "score"]

Reward = Literal["probability", "log_probability", "logit", "constant", "random"]
"""What a finished sequence earns: D, log D or log D - log(1 - D); or, as controls, 1 or a number from U(0, 1)."""

Baseline = Literal["leave_one_out", "time_mean", "none"]
"""What is taken off: the mean over the other sequences at the same place, over all of them, or nothing."""

_POLICY = "reinforce/policy/"
_AT_ONCE = 2**15
"""Sequences scored at once, so that their features fit into memory."""


@final
@dataclass(frozen=True)
class Reinforce(Estimator):
    r"""The policy gradient with action values from Monte-Carlo roll-outs.

    .. math::
        \nabla J = E \sum_t \nabla \log G_\theta(y_t \mid y_{<t})\, \bigl(Q(y_{<t}, y_t) - b_t\bigr), \qquad
        Q(y_{<t}, y_t) = \frac1N \sum_{k=1}^N R(Y^{(t, k)}), \qquad Q(y_{<T}, y_T) = R(Y)

    with continuations by the roll-out policy, :math:`\beta \leftarrow \rho \beta + (1 - \rho) \theta` after each round.
    The mean over sequences and the sum over places; padding counts nothing. The critic scores in evaluation mode, and
    each distinct sequence once.

    Parameters
    ----------
    n_rollouts : int
        N; with 0 every token of a sequence is worth what the whole is.
    reward : {"probability", "log_probability", "logit", "constant", "random"}
        R of a finished sequence; the last two are controls that look at no critic.
    baseline : {"leave_one_out", "time_mean", "none"}
        The first leaves the gradient unbiased; the second shrinks it by 1 - 1/batch. Without one, rewards that are all
        positive also sharpen the generator whatever they say.
    lag : float
        :math:`\rho` in [0, 1).

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    R. J. Williams, "Simple Statistical Gradient-Following Algorithms" (1992). L. Yu et al., "SeqGAN" (2017), equations
    4 to 8 and algorithm 1.
    """

    n_rollouts: int = 16
    reward: Reward = "probability"
    baseline: Baseline = "leave_one_out"
    lag: float = 0.0

    def __post_init__(self) -> None:
        _check.integer("n_rollouts", self.n_rollouts, least=0)
        _check.number("lag", self.lag, least=0.0, below=1.0)
        for name, kinds in (("reward", Reward), ("baseline", Baseline)):
            if getattr(self, name) not in get_args(kinds):
                raise DomainError(f"{name}: expected {', '.join(get_args(kinds))}, got {getattr(self, name)!r}")

    def losses(self, state: TrainingState) -> dict[str, Tensor]:
        """The policy's loss, and the mean reward of whole sequences as ``reward``."""
        generator = state.generator
        assert isinstance(generator, LSTMGenerator)  # noqa: S101 - the game has made sure
        tokens = generator(state.latents(state.system.batch_size))
        mask = generator.mask(tokens)
        q = self.values(state, tokens, ends=generator.ends)
        gain = advantages(q, self.baseline).to(mask.dtype)
        with state.autocast():
            chosen = generator.log_probs(tokens)
        loss = -(chosen * mask * gain).sum() / len(tokens)
        return {"generator": loss, "reward": q[:, -1].mean()}

    @torch.no_grad()
    def settle(self, state: TrainingState) -> None:
        """Move the roll-out policy towards the generator."""
        policy = self._policy(state)
        for name, value in state.generator.state_dict().items():
            policy[name].lerp_(value, 1.0 - self.lag)

    def _policy(self, state: TrainingState) -> Mapping[str, Tensor]:
        """The roll-out policy, the generator as it stands when first asked for."""
        weights = state.generator.state_dict()
        if _POLICY + next(iter(weights)) not in state.memory:
            state.memory |= {_POLICY + name: value.clone() for name, value in weights.items()}
        return {name: state.memory[_POLICY + name] for name in weights}

    def values(self, state: TrainingState, tokens: Tensor, *, ends: bool) -> Tensor:
        """What each token of sequences (batch, length) was worth, Q: (batch, length); `ends` as for the generator."""
        batch, length = tokens.shape
        if self.reward == "constant":
            return torch.ones(batch, length, device=tokens.device)
        if self.reward == "random":
            return torch.rand(batch, length, generator=state.random, device=tokens.device)
        final_scores = self._reward(state.critic, tokens)
        if self.n_rollouts == 0 or length == 1:
            return final_scores[:, None].expand(-1, length)
        continued = rollout(self._policy(state), tokens, self.n_rollouts, ends=ends, random=state.random)
        scores = self._reward(state.critic, continued.flatten(0, 2)).view(length - 1, batch, self.n_rollouts)
        return q_values(scores, final_scores)

    def _reward(self, critic: nn.Module, sequences: Tensor) -> Tensor:
        outputs = score(critic, sequences)
        if self.reward == "probability":
            return outputs.sigmoid()
        return logsigmoid(outputs) if self.reward == "log_probability" else outputs


@torch.no_grad()
def score(critic: nn.Module, sequences: Tensor) -> Tensor:
    """What a critic says of sequences (n, length) at rest, float32 (n,); each distinct one is read once."""
    distinct, place = torch.unique(sequences, dim=0, return_inverse=True)
    with at_rest(critic):
        outputs = torch.cat([critic(part).float() for part in torch.split(distinct, _AT_ONCE)])
    return outputs[place]


def q_values(scores: Tensor, final_scores: Tensor) -> Tensor:
    """Values (batch, length) from rewards of roll-outs (length - 1, batch, n) and of whole sequences (batch,)."""
    return torch.cat((scores.mean(-1).T, final_scores[:, None]), dim=1)


def advantages(q: Tensor, baseline: Baseline) -> Tensor:
    """Values (batch, length) less the baseline."""
    if baseline == "none":
        return q
    centred = q - q.mean(0)
    # q_b - mean of the others = (q_b - mean of all) n / (n - 1)
    return centred * (len(q) / (len(q) - 1)) if baseline == "leave_one_out" else centred
