"""Mixtures of Gaussians in the plane, the test benches of mode collapse: a ring of 8 and a grid of 25."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import torch

from gancore import _check
from gancore.datasets._interface import Data

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GaussianModes", "grid", "ring"]


@final
class GaussianModes(Data):
    """Points drawn from equally likely isotropic Gaussians, with the truth that mode metrics need.

    Attributes
    ----------
    centers : Tensor of shape (k, d)
        The modes.
    std : float
        Standard deviation of every mode, in each coordinate.
    """

    def __init__(self, name: str, centers: Tensor, std: float, *, n: int, seed: int) -> None:
        _check.integer("n", n, least=1)
        random = np.random.default_rng(seed)
        modes = torch.from_numpy(random.integers(len(centers), size=n))
        noise = torch.from_numpy(random.standard_normal((n, centers.shape[1]), dtype=np.float32))
        self.name = name
        self.kind = "points"
        self.shape = (centers.shape[1],)
        self.centers = centers
        self.std = std
        self._labels = modes
        self._points = centers[modes] + std * noise

    @property
    def labels(self) -> Tensor:
        """The mode of each point: int64 of shape (n,)."""
        return self._labels

    def __len__(self) -> int:
        """How many points there are."""
        return len(self._points)

    def batch(self, indices: Tensor) -> Tensor:
        """Points at the given indices: float32, shape (len(indices), d)."""
        return self._points[indices]


def ring(*, n: int = 100_000, seed: int = 0) -> GaussianModes:
    """Eight Gaussians of standard deviation 0.02, evenly spaced on a circle of radius 2.

    Parameters
    ----------
    n : int
        How many points to draw.
    seed : int
        Seed of the draw.

    Returns
    -------
    GaussianModes
        Points of shape (2,); the labels are the modes.

    Raises
    ------
    DomainError
        If n is not positive.

    References
    ----------
    L. Metz et al., "Unrolled Generative Adversarial Networks" (2017), section 3.3.1.
    The published notebook repeats the angle 0 as 2 pi and so has seven modes; here the end point is left out.

    Examples
    --------
    >>> ring(n=10).centers.shape
    torch.Size([8, 2])
    """
    angles = torch.arange(8, dtype=torch.float64) * (2 * torch.pi / 8)
    centers = 2 * torch.stack((angles.cos(), angles.sin()), dim=1)
    return GaussianModes("ring", centers.float(), 0.02, n=n, seed=seed)


def grid(*, n: int = 100_000, seed: int = 0) -> GaussianModes:
    """Twenty-five Gaussians of standard deviation 0.05 on a 5x5 grid of spacing 2, centred on the origin.

    Parameters
    ----------
    n : int
        How many points to draw.
    seed : int
        Seed of the draw.

    Returns
    -------
    GaussianModes
        Points of shape (2,); the labels are the modes.

    Raises
    ------
    DomainError
        If n is not positive.

    Examples
    --------
    >>> grid(n=10).centers.abs().max().item()
    4.0
    """
    axis = torch.arange(-4.0, 5.0, 2.0)
    return GaussianModes("grid", torch.cartesian_prod(axis, axis), 0.05, n=n, seed=seed)
