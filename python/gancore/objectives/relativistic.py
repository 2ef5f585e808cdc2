r"""Relativistic pairing GAN: a critic that says which of two samples is the real one.

The critic judges differences, d(x) - d(G(z)), pair by pair. Dropping a mode of the data leaves pairs that lose, so
the landscape has no local minima in which modes are missing (Sun, Fang and Schwing 2020); with R1 and R2 it is R3GAN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch.nn.functional import softplus

from gancore.errors import ShapeError
from gancore.objectives._interface import CriticKind, PairedObjective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Relativistic"]


@final
@dataclass(frozen=True)
class Relativistic(PairedObjective):
    r"""The zero-sum logistic game on differences of outputs, pair by pair.

    .. math::
        L_D = E\,\mathrm{sp}\bigl(-(d(x) - d(G(z)))\bigr), \qquad
        L_G = E\,\mathrm{sp}\bigl(d(x) - d(G(z))\bigr), \qquad \mathrm{sp}(t) = \log(1 + e^t)

    Both batches have the same size; sample i is compared with fake i.

    References
    ----------
    A. Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN", ICLR 2019
    (RSGAN); Y. Huang et al., "The GAN is dead; long live the GAN! A Modern Baseline GAN", NeurIPS 2024, equation 2.

    Examples
    --------
    >>> import torch
    >>> round(Relativistic().generator(torch.ones(4), torch.ones(4)).item(), 4)  # log 2: no telling which is real
    0.6931
    """

    critic_kind: ClassVar[CriticKind] = "logit"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E sp(-(d(x) - d(G(z))))        sp(t) = log(1 + e^t)",
        "generator minimises  E sp(d(x) - d(G(z)))",
    )
    reference: ClassVar[str] = """\
@inproceedings{jolicoeur2019relativistic,
  title     = {The relativistic discriminator: a key element missing from standard {GAN}},
  author    = {Jolicoeur-Martineau, Alexia},
  booktitle = {International Conference on Learning Representations},
  year      = {2019}
}"""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """What it costs the critic to tell the pairs apart: a scalar from outputs of shape (n,)."""
        return softplus(-_differences(real, fake)).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The same with the roles exchanged: a scalar from outputs of shape (n,)."""
        return softplus(_differences(real, fake)).mean()


def _differences(real: Tensor, fake: Tensor) -> Tensor:
    if real.shape != fake.shape:
        raise ShapeError(
            f"fake: expected one output for each of {tuple(real.shape)} real ones, got {tuple(fake.shape)}"
        )
    return real - fake
