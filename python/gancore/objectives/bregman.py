r"""b-GAN: the critic estimates the density ratio by a Bregman divergence, and the generator moves it towards one.

The critic's loss is, up to a constant, the Bregman divergence from the true ratio p / q to the estimate r; it is least
where they are equal. The ratio is r = 1 + elu(d): positive, one at d = 0, exponential below and linear above, so that
no output overflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import torch
from torch.nn.functional import elu

from gancore.errors import UnknownNameError
from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Bregman"]

_FUNCTIONS = ("pearson", "kl")


@final
@dataclass(frozen=True)
class Bregman(Objective):
    r"""Ratio matching with a convex function f, for r = 1 + elu(d).

    .. math::
        L_D = E\,[f'(r(G(z)))\, r(G(z)) - f(r(G(z)))] - E\,f'(r(x)), \qquad L_G = E\,f(r(G(z)))

    with :math:`f(r) = (r - 1)^2 / 2` (pearson) or :math:`f(r) = r \log r - r + 1` (kl). The generator's loss is the
    f-divergence of p from q as the current ratio estimates it.

    Parameters
    ----------
    f : {"pearson", "kl"}
        The convex function.

    Raises
    ------
    UnknownNameError
        If there is no such function.

    References
    ----------
    M. Uehara et al., "Generative Adversarial Nets from a Density Ratio Estimation Perspective" (2016), algorithm 1.

    Examples
    --------
    >>> import torch
    >>> Bregman().generator(torch.tensor([0.0, 2.0])).item()  # ratios 1 and 3: (0 + 2^2 / 2) / 2
    1.0
    """

    f: Literal["pearson", "kl"] = "pearson"

    critic_kind: ClassVar[CriticKind] = "wasserstein"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E [f'(r(G(z))) r(G(z)) - f(r(G(z)))] - E f'(r(x))        r = 1 + elu(d) estimates p/q",
        "generator minimises  E f(r(G(z)))",
    )
    reference: ClassVar[str] = """\
@misc{uehara2016generative,
  title  = {Generative Adversarial Nets from a Density Ratio Estimation Perspective},
  author = {Uehara, Masatoshi and Sato, Issei and Suzuki, Masahiro and Nakayama, Kotaro and Matsuo, Yutaka},
  note   = {arXiv:1610.02920},
  year   = {2016}
}"""

    def __post_init__(self) -> None:
        if self.f not in _FUNCTIONS:
            raise UnknownNameError("f", self.f, _FUNCTIONS)

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """The Bregman divergence from the true ratio, up to a constant: a scalar from outputs of shape (n,)."""
        # f'(r) r - f(r), with the constant at r = 1 left out.
        conjugate = 0.5 * (ratio(fake).square() - 1) if self.f == "pearson" else ratio(fake) - 1
        slope = ratio(real) - 1 if self.f == "pearson" else _log_ratio(real)
        return conjugate.mean() - slope.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """The estimated f-divergence: a scalar from outputs of shape (n,)."""
        r = ratio(fake)
        value = 0.5 * (r - 1).square() if self.f == "pearson" else r * _log_ratio(fake) - r + 1
        return value.mean()


def ratio(output: Tensor) -> Tensor:
    """The estimate of p/q that an output stands for."""
    return 1 + elu(output)


def _log_ratio(output: Tensor) -> Tensor:
    """Its logarithm, finite where the ratio rounds to zero."""
    return torch.where(output > 0, torch.log1p(output.clamp(min=0.0)), output)
