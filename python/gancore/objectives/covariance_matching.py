r"""Covariance feature matching (McGAN): the greatest difference of second moments that a few directions see.

Over bilinear functionals with k orthonormal directions on each side the integral probability metric is the sum of the
k largest singular values of the difference of the uncentred covariances, so the inner maximum is taken exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import DomainError
from gancore.objectives._interface import CriticKind, PairedObjective
from gancore.objectives.mean_matching import MeanMatching

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CovarianceMatching"]


@final
@dataclass(frozen=True)
class CovarianceMatching(PairedObjective):
    r"""The Ky Fan norm of the difference of feature second moments, which the critic raises and the generator lowers.

    .. math::
        \sup_{U^\top U = V^\top V = I_k} E \sum_{j \le k} \bigl[\langle u_j, h(x)\rangle \langle v_j, h(x)\rangle
        - \langle u_j, h(G)\rangle \langle v_j, h(G)\rangle\bigr]
        = \sum_{j \le k} \sigma_j\bigl(E\,h(x) h(x)^\top - E\,h(G) h(G)^\top\bigr)

    Parameters
    ----------
    outputs : int
        Features that the critic gives for a sample.
    rank : int
        k, at most the number of features.

    Raises
    ------
    DomainError
        If there is not at least one feature and direction, or more directions than features.

    References
    ----------
    Y. Mroueh, T. Sercu and V. Goel, "McGan: Mean and Covariance Feature Matching GAN", ICML 2017, section 4.

    Examples
    --------
    >>> import torch
    >>> CovarianceMatching(outputs=2, rank=1).generator(torch.zeros(3, 2), torch.tensor([[3.0, 0.0]])).item()
    9.0
    """

    outputs: int = 16
    rank: int = 8

    critic_kind: ClassVar[CriticKind] = "features"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     -sum of the k largest singular values of E h(x)h(x)' - E h(G)h(G)'",
        "generator minimises  the same with the sign changed",
    )
    reference: ClassVar[str] = MeanMatching.reference

    def __post_init__(self) -> None:
        _check.integer("outputs", self.outputs, least=1)
        _check.integer("rank", self.rank, least=1)
        if self.rank > self.outputs:
            raise DomainError(f"rank: expected at most outputs = {self.outputs}, got {self.rank}")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the distance: a scalar from features of shape (n, outputs)."""
        return -self.generator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The sum of the k largest singular values: a scalar from features of shape (n, outputs)."""
        difference = real.T @ real / len(real) - fake.T @ fake / len(fake)
        values: Tensor = torch.linalg.svdvals(difference)
        return values[: self.rank].sum()
