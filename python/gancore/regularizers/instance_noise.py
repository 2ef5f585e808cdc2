"""Instance noise: Gaussian noise on all that the critic sees, so that distributions overlap, annealed to none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.regularizers._interface import Perturbation

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["InstanceNoise"]


@final
@dataclass(frozen=True)
class InstanceNoise(Perturbation):
    r"""Independent normal noise added to real samples and fakes before the critic, in its step and the generator's.

    .. math::
        x' = x + \sigma_t\, \xi, \qquad \xi \sim N(0, I), \qquad \sigma_t = \sigma_0 \max(0, 1 - t / T)

    Distributions on manifolds that hardly meet have a Jensen-Shannon divergence of log 2 wherever they lie, and a
    critic that tells them apart without error; smoothed by noise they overlap, and the divergence falls as they
    approach.

    Parameters
    ----------
    std : float
        :math:`\sigma_0`, in the samples' units (pixels of images span [-1, 1]), not negative.
    anneal_steps : int
        T, the generator steps until the noise is gone; 0 keeps it as it is.

    Raises
    ------
    DomainError
        If a setting is negative, nan or infinite.

    References
    ----------
    M. Arjovsky and L. Bottou, "Towards Principled Methods for Training Generative Adversarial Networks", ICLR 2017,
    section 3; the annealing is C. K. Sonderby et al., "Amortised MAP Inference for Image Super-resolution", ICLR 2017.

    Examples
    --------
    >>> noise = InstanceNoise(std=0.5, anneal_steps=100)
    >>> noise.at(0), noise.at(50), noise.at(200)
    (0.5, 0.25, 0.0)
    """

    std: float = 0.1
    anneal_steps: int = 0

    equations: ClassVar[tuple[str, ...]] = (
        "the critic sees      x + s xi, G(z) + s xi        xi ~ N(0, I), s annealed",
    )
    reference: ClassVar[str] = """\
@inproceedings{arjovsky2017towards,
  title     = {Towards Principled Methods for Training Generative Adversarial Networks},
  author    = {Arjovsky, Martin and Bottou, L{\\'e}on},
  booktitle = {International Conference on Learning Representations},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("std", self.std, least=0.0)
        _check.integer("anneal_steps", self.anneal_steps, least=0)

    def at(self, step: int) -> float:
        """The standard deviation after so many generator steps."""
        return self.std if self.anneal_steps == 0 else self.std * max(0.0, 1 - step / self.anneal_steps)

    def perturb(self, samples: Tensor, generator: Generator, *, step: int) -> Tensor:
        """Samples with noise of this step."""
        std = self.at(step)
        if std == 0:
            return samples
        noise = torch.randn(samples.shape, generator=generator, device=samples.device)
        return samples + std * noise.to(samples.dtype)
