r"""Least squares GAN: a critic that regresses labels, and a generator that moves its fakes to a label of its own.

With b - c = 1 and b - a = 2 the generator minimises, at the optimal critic, half the Pearson divergence
chi^2(p + q, 2 q). Its gradient does not vanish on fakes that already pass, as that of a cross-entropy does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.objectives._interface import CriticKind, Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LeastSquares"]


@final
@dataclass(frozen=True)
class LeastSquares(Objective):
    r"""The least squares game with labels a for fakes, b for real samples, and c that the generator aims at.

    .. math::
        L_D = \tfrac12 E\,(d(x) - b)^2 + \tfrac12 E\,(d(G(z)) - a)^2, \qquad L_G = \tfrac12 E\,(d(G(z)) - c)^2

    Parameters
    ----------
    fake_label, real_label, target : float
        a, b and c; a < b, and c above a. (-1, 1, 0) gives the Pearson divergence, (0, 1, 1) is the other choice of
        the paper.

    Raises
    ------
    DomainError
        If a label is not finite, or the order is another.

    References
    ----------
    X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equations 2, 5 and 8.

    Examples
    --------
    >>> import torch
    >>> LeastSquares().generator(torch.tensor([1.0, 3.0])).item()
    2.5
    """

    fake_label: float = -1.0
    real_label: float = 1.0
    target: float = 0.0

    critic_kind: ClassVar[CriticKind] = "wasserstein"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     E (d(x) - b)^2 / 2 + E (d(G(z)) - a)^2 / 2",
        "generator minimises  E (d(G(z)) - c)^2 / 2",
    )
    reference: ClassVar[str] = """\
@inproceedings{mao2017least,
  title     = {Least Squares Generative Adversarial Networks},
  author    = {Mao, Xudong and Li, Qing and Xie, Haoran and Lau, Raymond Y. K. and Wang, Zhen and
               Smolley, Stephen Paul},
  booktitle = {International Conference on Computer Vision},
  pages     = {2794--2802},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("fake_label", self.fake_label)
        _check.number("real_label", self.real_label, above=self.fake_label)
        _check.number("target", self.target, above=self.fake_label)

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Half the squared distance from the labels: a scalar from outputs of shape (n,)."""
        return 0.5 * ((real - self.real_label).square().mean() + (fake - self.fake_label).square().mean())

    def generator(self, fake: Tensor) -> Tensor:
        """Half the squared distance from the generator's own label: a scalar from outputs of shape (n,)."""
        return 0.5 * (fake - self.target).square().mean()
