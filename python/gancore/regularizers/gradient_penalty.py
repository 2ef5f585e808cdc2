r"""Gradient penalty: holds the norm of the critic's gradient near one between real and fake samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.regularizers._input_gradient import root
from gancore.regularizers._interface import Penalty

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["GradientPenalty"]


@final
@dataclass(frozen=True)
class GradientPenalty(Penalty):
    r"""The mean squared distance of per-sample gradient norms from a target, at random points between samples.

    .. math::
        \lambda\, E\,\bigl(\lVert \nabla_{\hat x} d(\hat x) \rVert_2 - k\bigr)^2, \qquad
        \hat x = \epsilon x + (1 - \epsilon)\, G(z), \quad \epsilon \sim U(0, 1) \text{ for each sample}

    The norm is taken over all coordinates of one sample, then the mean over the batch, in float32. Batch
    normalisation in the critic makes d of one sample depend on the others, so the two exclude each other. Costs one
    forward and a double backward pass of the critic.

    Parameters
    ----------
    weight : float
        :math:`\lambda`, not negative.
    target : float
        :math:`k`, not negative.
    one_sided : bool
        Penalise only norms above the target.

    Raises
    ------
    DomainError
        If weight or target is negative, nan or infinite.

    References
    ----------
    I. Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3 and section 4.

    Examples
    --------
    >>> slope = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Flatten(0))
    >>> _ = torch.nn.init.constant_(slope[0].weight, 3.0)
    >>> real, fake = torch.zeros(5, 1), torch.ones(5, 1)
    >>> GradientPenalty().penalty(slope, real, fake, torch.Generator()).item()  # 10 (3 - 1)^2
    40.0
    """

    weight: float = 10.0
    target: float = 1.0
    one_sided: bool = False

    excludes_batch_norm: ClassVar[bool] = True
    equations: ClassVar[tuple[str, ...]] = (
        "critic adds          lambda E (|grad d(x')| - k)^2        x' = eps x + (1 - eps) G(z), eps ~ U(0, 1)",
    )
    reference: ClassVar[str] = """\
@inproceedings{gulrajani2017improved,
  title     = {Improved Training of Wasserstein {GANs}},
  author    = {Gulrajani, Ishaan and Ahmed, Faruk and Arjovsky, Martin and Dumoulin, Vincent and Courville, Aaron},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {30},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)
        _check.number("target", self.target, least=0.0)

    def points(self, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """Between each real sample and a fake, at a random place of its own."""
        epsilon = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator, device=real.device)
        return torch.lerp(fake, real, epsilon)

    def cost(self, squared_norms: Tensor) -> Tensor:
        """The weighted mean squared distance of the norms from the target."""
        excess = root(squared_norms) - self.target
        if self.one_sided:
            excess = excess.clamp(min=0.0)
        return self.weight * excess.square().mean()
