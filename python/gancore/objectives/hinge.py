r"""Hinge game of geometric GANs: a critic that stops caring about samples beyond its margin.

At the critic's optimum the value is 2 - 2 TV(p, q): both sides are pushed to the margins -1 and 1 wherever p > q or
p < q. It is the usual companion of spectral normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Hinge"]


@final
@dataclass(frozen=True)
class Hinge(Objective):
    r"""The margin of a support vector machine for the critic, the mean output for the generator.

    .. math::
        L_D = E\,[1 - d(x)]_+ + E\,[1 + d(G(z))]_+, \qquad L_G = -E\,d(G(z))

    References
    ----------
    J. H. Lim and J. C. Ye, "Geometric GAN" (2017); T. Miyato et al., "Spectral Normalization for Generative
    Adversarial Networks", ICLR 2018, section 4.

    Examples
    --------
    >>> import torch
    >>> Hinge().critic(torch.tensor([3.0, 0.0]), torch.tensor([-1.0, -2.0])).item()  # only 0 is within the margin
    0.5
    """

    critic_kind: ClassVar[CriticKind] = "hinge"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E [1 - d(x)]+ + E [1 + d(G(z))]+",
        "generator minimises  -E d(G(z))",
    )
    reference: ClassVar[str] = """\
@misc{lim2017geometric,
  title  = {Geometric {GAN}},
  author = {Lim, Jae Hyun and Ye, Jong Chul},
  note   = {arXiv:1705.02894},
  year   = {2017}
}"""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """What lies within the margins: a scalar from outputs of shape (n,)."""
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Minus the mean output on fakes: a scalar from outputs of shape (n,)."""
        return -fake.mean()
