r"""Wasserstein GAN: the critic's gap between real and fake, which the generator closes.

Over critics with Lipschitz constant one the greatest gap is the Wasserstein distance W1 (Kantorovich and Rubinstein);
a regulariser, weight_clip or gradient_penalty, has to hold the critic there. Its outputs have no absolute scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Wasserstein"]


@final
@dataclass(frozen=True)
class Wasserstein(Objective):
    r"""The game on E d(x) - E d(G(z)) over Lipschitz critics d; minus the critic's loss estimates W1.

    .. math::
        L_D = -E\,d(x) + E\,d(G(z)), \qquad L_G = -E\,d(G(z))

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, equations 2, 3.

    Examples
    --------
    >>> import torch
    >>> Wasserstein().critic(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 1.0])).item()
    -3.0
    """

    critic_kind: ClassVar[CriticKind] = "wasserstein"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     -E d(x) + E d(G(z))        d 1-Lipschitz; then minus this loss is W1",
        "generator minimises  -E d(G(z))",
    )
    reference: ClassVar[str] = """\
@inproceedings{arjovsky2017wasserstein,
  title     = {Wasserstein Generative Adversarial Networks},
  author    = {Arjovsky, Martin and Chintala, Soumith and Bottou, L{\\'e}on},
  booktitle = {International Conference on Machine Learning},
  pages     = {214--223},
  year      = {2017}
}"""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the gap between real and fake: a scalar from outputs of shape (n,)."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Minus the mean output on fakes: a scalar from outputs of shape (n,)."""
        return -fake.mean()
