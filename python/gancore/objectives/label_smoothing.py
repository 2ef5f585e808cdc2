r"""Label smoothing: the non-saturating game in which the critic's targets are not quite sure.

At its optimum D = (a p + b q) / (p + q) for targets a of real samples and b of fakes: bounded away from certainty, and
no density ratio any more. With b > 0 fakes enter the numerator and pull the generator to where they already are, which
is why only real labels are smoothed by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch.nn.functional import softplus

from gancore import _check
from gancore.errors import DomainError
from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LabelSmoothing"]


@final
@dataclass(frozen=True)
class LabelSmoothing(Objective):
    r"""Cross-entropy against targets a for real samples and b for fakes, in place of 1 and 0.

    .. math::
        L_D = E\,[\mathrm{sp}(-d(x)) + (1 - a)\, d(x)] + E\,[\mathrm{sp}(d(G)) - b\, d(G)], \qquad
        L_G = E\,\mathrm{sp}(-d(G)), \qquad \mathrm{sp}(t) = \log(1 + e^t)

    A label that is flipped at random with probability e gives this loss in expectation, with a = 1 - e and b = e: noisy
    labels are this objective without the noise. A sampler that reads d as log p/q is wrong by the smoothing; calibrate.

    Parameters
    ----------
    real, fake : float
        The targets a and b, with 0 <= b < a <= 1.

    Raises
    ------
    DomainError
        If they are out of range.

    References
    ----------
    T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.4.

    Examples
    --------
    >>> import torch
    >>> sure = torch.full((4,), 50.0)  # a critic that is certain, and right, still pays (1 - a) for each logit
    >>> round(LabelSmoothing(real=0.9).critic(sure, -sure).item(), 4)
    5.0
    """

    real: float = 0.9
    fake: float = 0.0

    critic_kind: ClassVar[CriticKind] = "logit"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E [sp(-d(x)) + (1 - a) d(x)] + E [sp(d(G(z))) - b d(G(z))]        sp(t) = log(1 + e^t)",
        "generator minimises  E sp(-d(G(z)))",
    )
    reference: ClassVar[str] = """\
@inproceedings{salimans2016improved,
  title     = {Improved Techniques for Training {GANs}},
  author    = {Salimans, Tim and Goodfellow, Ian and Zaremba, Wojciech and Cheung, Vicki and Radford, Alec and
               Chen, Xi},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {29},
  year      = {2016}
}"""

    def __post_init__(self) -> None:
        for name, value in (("real", self.real), ("fake", self.fake)):
            _check.number(name, value, least=0.0)
            if value > 1:
                raise DomainError(f"{name}: expected a target in [0, 1], got {value}")
        if self.fake >= self.real:
            raise DomainError(f"fake: expected a target below that of real samples, {self.real}, got {self.fake}")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy against the targets: a scalar from outputs of shape (n,)."""
        on_real = softplus(-real) + (1 - self.real) * real
        return on_real.mean() + (softplus(fake) - self.fake * fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Cross-entropy of fakes taken for real: a scalar from outputs of shape (n,)."""
        return softplus(-fake).mean()
