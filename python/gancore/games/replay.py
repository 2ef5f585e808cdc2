"""Experience replay: the critic is shown former fakes beside fresh ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Replay"]

_POOL = "replay/pool"


@final
@dataclass(frozen=True)
class Replay(Game):
    r"""Alternating steps in which half of the critic's fakes come from a pool of former ones.

    The pool is filled first. From then on a random half of each batch of fresh fakes is exchanged for random members of
    the pool, whose places it takes. A generator that runs in circles meets a critic that still knows the way. The pool
    is part of checkpoints; several processes keep the same one, of the fakes of all.

    Parameters
    ----------
    capacity : int
        Fakes in the pool (the paper: half a batch from a buffer; 50 in later work on image translation).
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If a setting is not positive.

    References
    ----------
    A. Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training", CVPR 2017,
    section 2.3.
    """

    capacity: int = 50
    critic_steps: int = 1

    reference: ClassVar[str] = """\
@inproceedings{shrivastava2017learning,
  title     = {Learning from Simulated and Unsupervised Images through Adversarial Training},
  author    = {Shrivastava, Ashish and Pfister, Tomas and Tuzel, Oncel and Susskind, Josh and Wang, Wenda and
               Webb, Russ},
  booktitle = {Conference on Computer Vision and Pattern Recognition},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("capacity", self.capacity, least=1)
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps and one generator step."""
        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real, fakes=lambda fresh: self._shown(state, fresh))
        losses["generator"] = generator_step(state, real)
        return losses

    def _shown(self, state: TrainingState, fresh: Tensor) -> Tensor:
        """The share of this process in what becomes of the whole batch: all draw alike, so all exchange alike."""
        (whole,) = state.processes.whole(fresh)
        return state.processes.own(self._exchange(state, whole))

    def _exchange(self, state: TrainingState, fresh: Tensor) -> Tensor:
        """Fresh fakes, half of them exchanged for members of the pool once it is full."""
        pool = state.memory.get(_POOL, fresh[:0])
        room = self.capacity - len(pool)
        if room > 0:
            state.memory[_POOL] = torch.cat((pool, fresh[:room].to(pool.dtype)))
            return fresh
        many = min(len(fresh) // 2, len(pool))
        places = torch.randperm(len(pool), generator=state.random, device=state.device)[:many]
        leaving = torch.randperm(len(fresh), generator=state.random, device=state.device)[:many]
        shown = fresh.clone()
        shown[leaving] = pool[places].to(fresh.dtype)
        pool[places] = fresh[leaving].to(pool.dtype)
        return shown
