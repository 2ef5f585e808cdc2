r"""R1: a critic that is flat on the data.

At the equilibrium the critic tells nothing apart, so its gradient on real samples is zero. Penalising that gradient
makes simultaneous and alternating descent converge locally where the unregularised game circles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.regularizers._interface import Penalty

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["R1"]


@final
@dataclass(frozen=True)
class R1(Penalty):
    r"""Half the mean squared gradient norm on real samples.

    .. math::
        \frac{\gamma}{2}\, E\, \lVert \nabla d(x) \rVert_2^2

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
    equation 9.

    Examples
    --------
    >>> import torch
    >>> slope = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Flatten(0))
    >>> _ = torch.nn.init.constant_(slope[0].weight, 3.0)
    >>> R1(weight=2.0).penalty(slope, torch.zeros(5, 1), torch.ones(5, 1), torch.Generator()).item()  # 2/2 * 3^2
    9.0
    """

    weight: float = 10.0

    excludes_batch_norm: ClassVar[bool] = True
    equations: ClassVar[tuple[str, ...]] = ("critic adds          gamma/2 E |grad d(x)|^2",)
    reference: ClassVar[str] = """\
@inproceedings{mescheder2018which,
  title     = {Which Training Methods for {GANs} do actually Converge?},
  author    = {Mescheder, Lars and Geiger, Andreas and Nowozin, Sebastian},
  booktitle = {International Conference on Machine Learning},
  pages     = {3481--3490},
  year      = {2018}
}"""

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)

    def points(self, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """The real samples."""
        del fake, generator
        return real

    def cost(self, squared_norms: Tensor) -> Tensor:
        """Half the weighted mean."""
        return 0.5 * self.weight * squared_norms.mean()
