r"""Mean feature matching (McGAN): the greatest difference of means that a linear functional sees.

Over linear functionals of dual norm one on top of the features the integral probability metric is a norm of the
difference of the feature means, so the inner maximum is taken exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import torch

from gancore import _check
from gancore.errors import UnknownNameError
from gancore.objectives._interface import CriticKind, PairedObjective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MeanMatching"]

_ORDERS = {"l1": 1.0, "l2": 2.0, "linf": float("inf")}


@final
@dataclass(frozen=True)
class MeanMatching(PairedObjective):
    r"""The distance of the mean features in a norm, which the critic raises and the generator lowers.

    .. math::
        \sup_{\lVert v \rVert_p \le 1} \langle v,\, E\,h(x) - E\,h(G(z)) \rangle
        = \lVert E\,h(x) - E\,h(G(z)) \rVert_q, \qquad \tfrac1p + \tfrac1q = 1

    Parameters
    ----------
    outputs : int
        Features that the critic gives for a sample.
    norm : {"l1", "l2", "linf"}
        The norm q.

    Raises
    ------
    DomainError, UnknownNameError
        If there is not at least one feature, or no such norm.

    References
    ----------
    Y. Mroueh, T. Sercu and V. Goel, "McGan: Mean and Covariance Feature Matching GAN", ICML 2017, section 3.

    Examples
    --------
    >>> import torch
    >>> MeanMatching(outputs=2).generator(torch.zeros(3, 2), torch.tensor([[3.0, 4.0]])).item()
    5.0
    """

    outputs: int = 16
    norm: Literal["l1", "l2", "linf"] = "l2"

    critic_kind: ClassVar[CriticKind] = "features"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     -|E h(x) - E h(G(z))|_q        h the critic's features",
        "generator minimises  |E h(x) - E h(G(z))|_q",
    )
    reference: ClassVar[str] = """\
@inproceedings{mroueh2017mcgan,
  title     = {{McGan}: Mean and Covariance Feature Matching {GAN}},
  author    = {Mroueh, Youssef and Sercu, Tom and Goel, Vaibhava},
  booktitle = {International Conference on Machine Learning},
  pages     = {2527--2535},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("outputs", self.outputs, least=1)
        if self.norm not in _ORDERS:
            raise UnknownNameError("norm", self.norm, tuple(_ORDERS))

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the distance: a scalar from features of shape (n, outputs)."""
        return -self.generator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The distance of the means: a scalar from features of shape (n, outputs)."""
        distance: Tensor = torch.linalg.vector_norm(real.mean(0) - fake.mean(0), _ORDERS[self.norm])
        return distance
