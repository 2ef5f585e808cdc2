"""Weight clipping: holds every parameter of the critic in a box, which bounds its Lipschitz constant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import DomainError
from gancore.regularizers._interface import Projection

if TYPE_CHECKING:
    from torch import nn

__all__ = ["WeightClip"]


@final
@dataclass(frozen=True)
class WeightClip(Projection):
    r"""The projection of every parameter of the critic, biases and normalisation included, onto [-c, c].

    Parameters
    ----------
    limit : float
        :math:`c`, positive.
    final : float or None
        Where c goes, geometrically over `anneal_steps` generator steps, to stay there; None keeps it.
    anneal_steps : int
        How many steps that takes.

    Raises
    ------
    DomainError
        If a limit is not positive and finite, or there is one of `final` and `anneal_steps` without the other.

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, algorithm 1.

    Examples
    --------
    >>> critic = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.constant_(critic.weight, 0.5)
    >>> WeightClip(limit=0.25).project(critic, step=0)
    >>> critic.weight.item()
    0.25
    """

    limit: float = 0.01
    final: float | None = None
    anneal_steps: int = 0

    equations: ClassVar[tuple[str, ...]] = ("after each critic step  w <- min(max(w, -c), c)",)
    reference: ClassVar[str] = """\
@inproceedings{arjovsky2017wasserstein,
  title     = {Wasserstein Generative Adversarial Networks},
  author    = {Arjovsky, Martin and Chintala, Soumith and Bottou, L{\\'e}on},
  booktitle = {International Conference on Machine Learning},
  pages     = {214--223},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("limit", self.limit, above=0.0)
        _check.integer("anneal_steps", self.anneal_steps, least=0)
        if self.final is not None:
            _check.number("final", self.final, above=0.0)
        if (self.final is None) != (self.anneal_steps == 0):
            raise DomainError(
                f"anneal_steps: expected steps exactly where there is a final limit, got {self.anneal_steps} with "
                f"final={self.final}"
            )

    def at(self, step: int) -> float:
        """The limit after so many generator steps."""
        if self.final is None:
            return self.limit
        share = min(1.0, step / self.anneal_steps)
        return math.exp((1 - share) * math.log(self.limit) + share * math.log(self.final))

    @torch.no_grad()
    def project(self, critic: nn.Module, *, step: int) -> None:
        """Clip the parameters in place."""
        limit = self.at(step)
        for parameter in critic.parameters():
            parameter.clamp_(-limit, limit)
