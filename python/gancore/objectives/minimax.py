r"""Minimax GAN: the generator minimises what the critic maximises.

With D = sigmoid(d), the critic's loss is the cross-entropy of telling real from fake. At its optimum
D = p / (p + q) and the value is 2 JSD(p, q) - 2 log 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch.nn.functional import softplus

from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Minimax"]


@final
@dataclass(frozen=True)
class Minimax(Objective):
    r"""The zero-sum game on E log D(x) + E log(1 - D(G(z))), with D = sigmoid(d) of the critic's output d.

    .. math::
        L_D = E\,\mathrm{sp}(-d(x)) + E\,\mathrm{sp}(d(G(z))), \qquad
        L_G = -E\,\mathrm{sp}(d(G(z))), \qquad \mathrm{sp}(t) = \log(1 + e^t)

    Where the critic wins, the generator's gradient vanishes; :mod:`~gancore.objectives.nonsaturating` mends that.

    References
    ----------
    I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, equation 1.

    Examples
    --------
    >>> import torch
    >>> real, fake = torch.zeros(4), torch.zeros(4)
    >>> round(Minimax().critic(real, fake).item(), 4)  # 2 log 2: a critic that knows nothing
    1.3863
    """

    critic_kind: ClassVar[CriticKind] = "logit"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E sp(-d(x)) + E sp(d(G(z)))        sp(t) = log(1 + e^t)",
        "generator minimises  -E sp(d(G(z)))",
    )
    reference: ClassVar[str] = """\
@inproceedings{goodfellow2014generative,
  title     = {Generative Adversarial Nets},
  author    = {Goodfellow, Ian and Pouget-Abadie, Jean and Mirza, Mehdi and Xu, Bing and Warde-Farley, David and
               Ozair, Sherjil and Courville, Aaron and Bengio, Yoshua},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {27},
  year      = {2014}
}"""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy of telling real from fake: a scalar from outputs of shape (n,)."""
        return softplus(-real).mean() + softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """The negative of what the critic pays on fakes: a scalar from outputs of shape (n,)."""
        return -softplus(fake).mean()
