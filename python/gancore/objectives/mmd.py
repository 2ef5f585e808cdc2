r"""MMD GAN: a critic that learns the features in which a kernel sees the difference.

The distance of kernel means in feature space, by its unbiased estimate. The kernel is a mixture, so that no single
length scale has to be right while the features move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from gancore import _check
from gancore.errors import UnknownNameError
from gancore.objectives._interface import CriticKind, PairedObjective
from gancore.objectives._pairs import distinct_mean, squared_distances

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MMD"]

_SCALES = {"rbf": (1.0, 2.0, 4.0, 8.0, 16.0), "rational_quadratic": (0.2, 0.5, 1.0, 2.0, 5.0)}


@final
@dataclass(frozen=True)
class MMD(PairedObjective):
    r"""The squared maximum mean discrepancy of critic features, which the critic raises and the generator lowers.

    .. math::
        \mathrm{MMD}^2 = \frac{1}{n(n-1)} \sum_{i \ne j} \bigl[k(x_i, x_j) + k(y_i, y_j)\bigr]
        - \frac{2}{n^2} \sum_{i, j} k(x_i, y_j)

    with :math:`k = \sum_s e^{-|x - y|^2 / (2 s^2)}`, s = 1, 2, 4, 8, 16 (rbf), or
    :math:`k = \sum_a (1 + |x - y|^2 / (2 a))^{-a}`, a = 0.2, 0.5, 1, 2, 5 (rational_quadratic).

    Parameters
    ----------
    outputs : int
        Features that the critic gives for a sample.
    kernel : {"rbf", "rational_quadratic"}
        The mixture of kernels.

    Raises
    ------
    DomainError, UnknownNameError
        If there is not at least one feature, or no such kernel.

    References
    ----------
    C.-L. Li et al., "MMD GAN: Towards Deeper Understanding of Moment Matching Network", NeurIPS 2017 (rbf);
    M. Binkowski et al., "Demystifying MMD GANs", ICLR 2018 (rational quadratic).

    Examples
    --------
    >>> import torch
    >>> MMD().generator(torch.zeros(4, 16), torch.zeros(4, 16)).item()
    0.0
    """

    outputs: int = 16
    kernel: Literal["rbf", "rational_quadratic"] = "rbf"

    critic_kind: ClassVar[CriticKind] = "features"
    equations: ClassVar[tuple[str, ...]] = (
        "critic minimises     -MMD^2(h(x), h(G(z)))        unbiased, h the critic's features",
        "generator minimises  MMD^2(h(x), h(G(z)))",
    )
    reference: ClassVar[str] = """\
@inproceedings{li2017mmd,
  title     = {{MMD} {GAN}: Towards Deeper Understanding of Moment Matching Network},
  author    = {Li, Chun-Liang and Chang, Wei-Cheng and Cheng, Yu and Yang, Yiming and P{\\'o}czos, Barnab{\\'a}s},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {30},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("outputs", self.outputs, least=1)
        if self.kernel not in _SCALES:
            raise UnknownNameError("kernel", self.kernel, tuple(_SCALES))

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the distance: a scalar from features of shape (n, outputs)."""
        return -self.generator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The unbiased squared discrepancy: a scalar from features of shape (n, outputs)."""
        within = distinct_mean(self._kernel(real, real)) + distinct_mean(self._kernel(fake, fake))
        return within - 2 * self._kernel(real, fake).mean()

    def _kernel(self, x: Tensor, y: Tensor) -> Tensor:
        squared = squared_distances(x, y).unsqueeze(-1)
        scales = squared.new_tensor(_SCALES[self.kernel])
        if self.kernel == "rbf":
            return (-squared / (2 * scales.square())).exp().sum(-1)
        return (-scales * (squared / (2 * scales)).log1p()).exp().sum(-1)
