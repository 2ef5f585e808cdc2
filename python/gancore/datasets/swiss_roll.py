"""The Swiss roll in the plane: a curve that a generator has to wind up, with noise about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from gancore import _check
from gancore.datasets._interface import Data

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SwissRoll", "swiss_roll"]

_SCALE = 7.5
_NOISE = 0.25


@final
class SwissRoll(Data):
    """Points about a spiral, with the truth that mode metrics need.

    Attributes
    ----------
    centers : Tensor of shape (100, 2)
        Points on the spiral, each standing for a hundredth of the data, and not more than 0.2 apart.
    std : float
        Standard deviation of the noise, in each coordinate.
    """

    def __init__(self, *, n: int, seed: int) -> None:
        _check.integer("n", n, least=1)
        random = np.random.default_rng(seed)
        noise = torch.from_numpy(random.standard_normal((n, 2), dtype=np.float32))
        self.name = "swiss-roll"
        self.kind = "points"
        self.shape = (2,)
        self.std = _NOISE / _SCALE
        self.centers = _spiral((np.arange(100) + 0.5) / 100)
        self._points = _spiral(random.random(n)) + self.std * noise

    @property
    def labels(self) -> None:
        """None: a spiral has no classes."""
        return

    def __len__(self) -> int:
        """How many points there are."""
        return len(self._points)

    def batch(self, indices: Tensor) -> Tensor:
        """Points at the given indices: float32, shape (len(indices), d)."""
        return self._points[indices]


def swiss_roll(*, n: int = 100_000, seed: int = 0) -> SwissRoll:
    """The spiral (t cos t, t sin t) / 7.5 for t uniform on [1.5 pi, 4.5 pi], with normal noise of deviation 0.25 / 7.5.

    Parameters
    ----------
    n : int
        How many points to draw.
    seed : int
        Seed of the draw.

    Returns
    -------
    SwissRoll
        Points of shape (2,), without labels.

    Raises
    ------
    DomainError
        If n is not positive.

    References
    ----------
    The toy data of I. Gulrajani et al., "Improved Training of Wasserstein GANs" (2017): scikit-learn's Swiss roll
    without its middle axis.

    Examples
    --------
    >>> data = swiss_roll(n=1000)
    >>> data.shape, len(data.centers)
    ((2,), 100)
    """
    return SwissRoll(n=n, seed=seed)


def _spiral(share: np.ndarray) -> Tensor:
    """Points at shares of the spiral, from its inner end to its outer."""
    t = 1.5 * math.pi * (1 + 2 * share)
    return torch.from_numpy(np.stack((t * np.cos(t), t * np.sin(t)), axis=1) / _SCALE).float()
