"""Gradient-norm regularisation: the generator also lowers the critic's gradient, a step of foresight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.games._interface import Game
from gancore.games._simultaneous import play, squared_norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["GradientNorm"]


@final
@dataclass(frozen=True)
class GradientNorm(Game):
    r"""Simultaneous descent in which the generator leaves the critic as little to gain as it can.

    .. math::
        \psi \leftarrow \text{step along } \nabla_\psi L_D, \qquad
        \theta \leftarrow \text{step along } \nabla_\theta \bigl(L_G + \eta \lVert \nabla_\psi L_D \rVert^2\bigr)

    Near an equilibrium the Jacobian of the game becomes stable, also where the critic's loss is not strictly concave,
    as in Wasserstein GANs. Costs a second differentiation of the critic's loss.

    Parameters
    ----------
    weight : float
        :math:`\eta`, not negative.

    Raises
    ------
    DomainError
        If the weight is negative, nan or infinite.

    References
    ----------
    V. Nagarajan and J. Z. Kolter, "Gradient descent GAN optimization is locally stable", NeurIPS 2017, equation 5.
    """

    weight: float = 0.1

    reference: ClassVar[str] = """\
@inproceedings{nagarajan2017gradient,
  title     = {Gradient descent {GAN} optimization is locally stable},
  author    = {Nagarajan, Vaishnavh and Kolter, J. Zico},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {30},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play one simultaneous step of both players."""

        def left_to_gain(gradients: dict[str, list[Tensor]]) -> dict[str, Tensor]:
            return {"generator": self.weight * squared_norm(gradients["critic"])}

        return play(state, next_batch(), extra=left_to_gain)
