r"""DRAGAN: holds the norm of the critic's gradient near one around the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.regularizers._input_gradient import root
from gancore.regularizers._interface import Penalty

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["Dragan"]


@final
@dataclass(frozen=True)
class Dragan(Penalty):
    r"""The mean squared distance of gradient norms from a target, at real samples with noise.

    .. math::
        \lambda\, E\,\bigl(\lVert \nabla d(x + \delta) \rVert_2 - k\bigr)^2, \qquad
        \delta = c\, \operatorname{std}(x)\, u, \quad u \sim U(0, 1)^d \text{ for each sample}

    with the standard deviation over all coordinates of the batch. Unlike the gradient penalty of WGAN-GP it says
    nothing about where the fakes are, so it composes with the minimax and non-saturating games.

    Parameters
    ----------
    weight : float
        :math:`\lambda`, not negative.
    target : float
        :math:`k`, not negative.
    noise : float
        :math:`c`, not negative.

    Raises
    ------
    DomainError
        If a setting is negative, nan or infinite.

    References
    ----------
    N. Kodali, J. Abernethy, J. Hays and Z. Kira, "On Convergence and Stability of GANs" (2017); uniform noise
    with c = 1/2 as in the authors' program.

    Examples
    --------
    >>> slope = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Flatten(0))
    >>> _ = torch.nn.init.constant_(slope[0].weight, 3.0)
    >>> real, fake = torch.zeros(5, 1), torch.ones(5, 1)
    >>> Dragan().penalty(slope, real, fake, torch.Generator()).item()  # 10 (3 - 1)^2
    40.0
    """

    weight: float = 10.0
    target: float = 1.0
    noise: float = 0.5

    excludes_batch_norm: ClassVar[bool] = True
    equations: ClassVar[tuple[str, ...]] = (
        "critic adds          lambda E (|grad d(x')| - k)^2        x' = x + c std(x) u, u ~ U(0, 1)",
    )
    reference: ClassVar[str] = """\
@misc{kodali2017convergence,
  title  = {On Convergence and Stability of {GANs}},
  author = {Kodali, Naveen and Abernethy, Jacob and Hays, James and Kira, Zsolt},
  note   = {arXiv:1705.07215},
  year   = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)
        _check.number("target", self.target, least=0.0)
        _check.number("noise", self.noise, least=0.0)

    def points(self, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """Around the real samples, within a multiple of their spread."""
        del fake
        noise = torch.rand(real.shape, generator=generator, device=real.device)
        return real + self.noise * real.std(correction=0) * noise

    def cost(self, squared_norms: Tensor) -> Tensor:
        """The weighted mean squared distance of the norms from the target."""
        return self.weight * (root(squared_norms) - self.target).square().mean()
