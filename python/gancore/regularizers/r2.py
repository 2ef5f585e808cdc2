r"""R2: a critic that is flat on the fakes.

The mirror image of R1. Either alone converges locally; with a relativistic objective R3GAN needs both, since the
critic may explode on whichever side is left free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.regularizers._interface import Penalty
from gancore.regularizers.r1 import R1

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["R2"]


@final
@dataclass(frozen=True)
class R2(Penalty):
    r"""Half the mean squared gradient norm on fakes.

    .. math::
        \frac{\gamma}{2}\, E\, \lVert \nabla d(G(z)) \rVert_2^2

    Parameters
    ----------
    weight : float
        :math:`\gamma`, not negative; in units of the squared output over those of a squared coordinate.

    Raises
    ------
    DomainError
        If the weight is negative, nan or infinite.

    References
    ----------
    L. Mescheder, A. Geiger and S. Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018,
    equation 10.

    Examples
    --------
    >>> import torch
    >>> slope = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Flatten(0))
    >>> _ = torch.nn.init.constant_(slope[0].weight, 3.0)
    >>> R2(weight=2.0).penalty(slope, torch.zeros(5, 1), torch.ones(5, 1), torch.Generator()).item()  # 2/2 * 3^2
    9.0
    """

    weight: float = 10.0

    excludes_batch_norm: ClassVar[bool] = True
    equations: ClassVar[tuple[str, ...]] = ("critic adds          gamma/2 E |grad d(G(z))|^2",)
    reference: ClassVar[str] = R1.reference

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)

    def points(self, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """The fake samples."""
        del real, generator
        return fake

    def cost(self, squared_norms: Tensor) -> Tensor:
        """Half the weighted mean."""
        return 0.5 * self.weight * squared_norms.mean()
