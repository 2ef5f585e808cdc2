"""Entropy regularisation: the generator is paid for samples that lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import IncompatibleChoiceError
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Entropy", "nearest_neighbour_entropy"]

_EPS = 1e-12
"""Under the logarithm: two samples at one place have no finite entropy, and no slope out of it."""


@final
@dataclass(frozen=True)
class Entropy(Game):
    r"""Alternating steps in which the generator's loss is lowered by the entropy of its batch.

    .. math::
        L_G - \lambda\, \hat H(G(z))

    with :math:`\hat H` as :func:`nearest_neighbour_entropy` estimates it, over the batches of all processes. What
    policies of actor-critic methods are given against settling too early, given to a generator. Costs the distances
    within a batch.

    Parameters
    ----------
    weight : float
        :math:`\lambda`, not negative; the estimate grows with the number of coordinates of a sample.
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If a setting is out of range.
    IncompatibleChoiceError
        When a turn is played with batches of one sample, which has no neighbour.

    References
    ----------
    D. Pfau and O. Vinyals, "Connecting Generative Adversarial Networks and Actor-Critic Methods" (2016), section 4.
    """

    weight: float = 0.01
    critic_steps: int = 1

    reference: ClassVar[str] = """\
@misc{pfau2016connecting,
  title  = {Connecting Generative Adversarial Networks and Actor-Critic Methods},
  author = {Pfau, David and Vinyals, Oriol},
  note   = {arXiv:1610.01945},
  year   = {2016}
}"""

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps and one generator step; its loss contains what it is paid."""
        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real)
        if len(real) * state.processes.world < 2:
            raise IncompatibleChoiceError("batch_size: entropy is told from neighbours, and one sample has none")

        def paid(fake: Tensor) -> Tensor:
            (everyone,) = state.processes.whole(fake.flatten(1).float())
            return -self.weight * nearest_neighbour_entropy(everyone)

        losses["generator"] = generator_step(state, real, term=paid)
        return losses


def nearest_neighbour_entropy(samples: Tensor) -> Tensor:
    r"""The differential entropy of a density, in nats, from the distances of samples to their nearest neighbours.

    .. math::
        \hat H = \frac dn \sum_i \log \rho_i + \log\frac{\pi^{d/2}}{\Gamma(d/2 + 1)} + \log(n - 1) + \gamma

    with :math:`\gamma` Euler's constant. Differentiable; consistent as n grows, more slowly the larger d is.

    Parameters
    ----------
    samples : Tensor of shape (n, d)
        At least two.

    Returns
    -------
    Tensor
        A scalar.

    References
    ----------
    L. F. Kozachenko and N. N. Leonenko, "Sample Estimate of the Entropy of a Random Vector", Problems of Information
    Transmission 23 (1987), equation 2.

    Examples
    --------
    >>> square = torch.rand(5000, 2, generator=torch.Generator().manual_seed(0))
    >>> abs(nearest_neighbour_entropy(square).item()) < 0.1  # the uniform density on the unit square: 0
    True
    """
    n, d = samples.shape
    # Not by a product of matrices, which cancels for the very neighbours that count.
    squares = torch.cdist(samples, samples, compute_mode="donot_use_mm_for_euclid_dist").square()
    nearest = squares.masked_fill(torch.eye(n, dtype=torch.bool, device=samples.device), math.inf).amin(dim=1)
    ball = 0.5 * d * math.log(math.pi) - math.lgamma(0.5 * d + 1)
    euler = 0.5772156649015329
    return 0.5 * d * (nearest + _EPS).log().mean() + ball + math.log(n - 1) + euler
