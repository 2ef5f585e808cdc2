r"""Cramer GAN: the energy distance of critic features.

Unlike an estimate of the Wasserstein distance from a batch, the estimate here has unbiased gradients: every term
averages over pairs of distinct samples, so that each fake is compared with fakes independent of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.objectives._interface import CriticKind, PairedObjective
from gancore.objectives._pairs import distances, distinct_mean

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EnergyDistance"]


@final
@dataclass(frozen=True)
class EnergyDistance(PairedObjective):
    r"""The energy distance of critic features, which the critic raises and the generator lowers.

    .. math::
        \mathcal{E} = 2\, E\lVert x - y \rVert - E\lVert x - x' \rVert - E\lVert y - y' \rVert

    over features x, x' of independent real samples and y, y' of independent fakes.

    Parameters
    ----------
    outputs : int
        Features that the critic gives for a sample.

    Raises
    ------
    DomainError
        If there is not at least one feature.

    References
    ----------
    M. G. Bellemare et al., "The Cramer Distance as a Solution to Biased Wasserstein Gradients" (2017);
    G. Szekely and M. Rizzo, "Energy statistics" (2013).

    Examples
    --------
    >>> import torch
    >>> EnergyDistance(outputs=2).generator(torch.zeros(3, 2), torch.ones(3, 2).mul(3)).item()  # 2 |(3, 3)|
    8.485281944274902
    """

    outputs: int = 16

    critic_kind: ClassVar[CriticKind] = "features"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E|h(x) - h(x')| + E|h(G) - h(G')| - 2 E|h(x) - h(G)|        h the critic's features",
        "generator minimises  the same with the sign changed",
    )
    reference: ClassVar[str] = """\
@misc{bellemare2017cramer,
  title  = {The {Cramer} Distance as a Solution to Biased {Wasserstein} Gradients},
  author = {Bellemare, Marc G. and Danihelka, Ivo and Dabney, Will and Mohamed, Shakir and Lakshminarayanan, Balaji and
            Hoyer, Stephan and Munos, R{\\'e}mi},
  note   = {arXiv:1705.10743},
  year   = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("outputs", self.outputs, least=1)

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the distance: a scalar from features of shape (n, outputs)."""
        return -self.generator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The unbiased energy distance: a scalar from features of shape (n, outputs)."""
        between = 2 * distances(real, fake).mean()
        return between - distinct_mean(distances(real, real)) - distinct_mean(distances(fake, fake))
