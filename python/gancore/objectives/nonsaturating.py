r"""Non-saturating GAN: the critic of the minimax game, and a generator that maximises E log D(G(z)).

Only the generator's loss differs from the minimax game. With the critic held at its optimum its gradient is that of
KL(q, p) - 2 JSD(q, p), q the generator's distribution (Arjovsky and Bottou 2017, theorem 2.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch.nn.functional import softplus

from gancore.objectives._interface import CriticKind, Objective
from gancore.objectives.minimax import Minimax

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Nonsaturating"]


@final
@dataclass(frozen=True)
class Nonsaturating(Objective):
    r"""The "-log D" game: each player minimises its own cross-entropy.

    .. math::
        L_D = E\,\mathrm{sp}(-d(x)) + E\,\mathrm{sp}(d(G(z))), \qquad
        L_G = E\,\mathrm{sp}(-d(G(z))), \qquad \mathrm{sp}(t) = \log(1 + e^t)

    References
    ----------
    I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 3.

    Examples
    --------
    >>> import torch
    >>> round(Nonsaturating().generator(torch.zeros(4)).item(), 4)  # log 2: fakes pass every other time
    0.6931
    """

    critic_kind: ClassVar[CriticKind] = "logit"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E sp(-d(x)) + E sp(d(G(z)))        sp(t) = log(1 + e^t)",
        "generator minimises  E sp(-d(G(z)))",
    )
    reference: ClassVar[str] = Minimax.reference

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy of telling real from fake: a scalar from outputs of shape (n,)."""
        return softplus(-real).mean() + softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Cross-entropy of fakes taken for real: a scalar from outputs of shape (n,)."""
        return softplus(-fake).mean()
