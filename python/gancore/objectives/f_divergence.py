r"""f-GAN: the variational bound of any f-divergence, which the critic raises and the generator lowers.

The table of generators, conjugates and activations is the one that :mod:`gancore.kernels.divergence` computes with, so
that the value at the critic's optimum and the exact divergence come from the same data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore.errors import UnknownNameError
from gancore.kernels._f_divergences import TABLE
from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FDivergence"]


@final
@dataclass(frozen=True)
class FDivergence(Objective):
    r"""The game on :math:`E\,T(x) - E\,f^*(T(G(z)))`, a lower bound of :math:`D_f(p, q)`, with T = g_f(d).

    .. math::
        L_D = -E\,g_f(d(x)) + E\,f^*(g_f(d(G(z)))), \qquad L_G = -E\,f^*(g_f(d(G(z))))

    The activation g_f maps any output into the domain of the conjugate f*. Where that takes an exponential, outputs d
    are first bent to :math:`40 \tanh(d / 40)`, so that none overflows; the bound is reached all the same wherever p/q
    lies between e^-40 and e^40.

    Parameters
    ----------
    name : str
        A name in :data:`gancore.kernels.divergence.F_DIVERGENCES`.

    Raises
    ------
    UnknownNameError
        If there is no such divergence.

    References
    ----------
    S. Nowozin, B. Cseke and R. Tomioka, "f-GAN: Training Generative Neural Samplers using Variational Divergence
    Minimization", NeurIPS 2016, equation 6 and table 2.

    Examples
    --------
    >>> import torch
    >>> FDivergence("pearson").critic(torch.zeros(3), torch.zeros(3)).item()  # T = 0 says that p = q
    0.0
    """

    name: str = "kl"

    critic_kind: ClassVar[CriticKind] = "wasserstein"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     -E T(x) + E f*(T(G(z)))        T = g_f(d), f* the conjugate of f",
        "generator minimises  -E f*(T(G(z)))",
    )
    reference: ClassVar[str] = """\
@inproceedings{nowozin2016fgan,
  title     = {f-{GAN}: Training Generative Neural Samplers using Variational Divergence Minimization},
  author    = {Nowozin, Sebastian and Cseke, Botond and Tomioka, Ryota},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {29},
  year      = {2016}
}"""

    def __post_init__(self) -> None:
        if self.name not in TABLE:
            raise UnknownNameError("name", self.name, tuple(TABLE))

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the bound: a scalar from outputs of shape (n,)."""
        raised: Tensor = TABLE[self.name].activation(self._bent(real)).mean()
        return self._paid(fake) - raised

    def generator(self, fake: Tensor) -> Tensor:
        """What of the bound the generator can change: a scalar from outputs of shape (n,)."""
        return -self._paid(fake)

    def _paid(self, fake: Tensor) -> Tensor:
        paid: Tensor = TABLE[self.name].penalty(self._bent(fake)).mean()
        return paid

    def _bent(self, output: Tensor) -> Tensor:
        limit = TABLE[self.name].limit
        return output if math.isinf(limit) else limit * (output / limit).tanh()
