"""Weight clipping: holds every parameter of the critic in a box, which bounds its Lipschitz constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
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

    Raises
    ------
    DomainError
        If the limit is not positive and finite.

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, algorithm 1.

    Examples
    --------
    >>> critic = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.constant_(critic.weight, 0.5)
    >>> WeightClip(limit=0.25).project(critic)
    >>> critic.weight.item()
    0.25
    """

    limit: float = 0.01

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

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Clip the parameters in place."""
        for parameter in critic.parameters():
            parameter.clamp_(-self.limit, self.limit)
