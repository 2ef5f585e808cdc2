"""Latent priors, each a push-forward z = T(u) of u ~ N(0, I).

Written so, every prior is sampled by drawing normals, and a Markov chain on u needs neither borders nor clipping
nor Jacobians: its target is N(0, I) times whatever the critic says of G(T(u)), and Metropolis stays exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["PRIORS", "push_forward", "sample_prior"]

PRIORS = ("normal", "uniform", "sphere")
"""``normal``: N(0, I). ``uniform``: U(-1, 1) in every coordinate. ``sphere``: radius sqrt(d), uniform direction."""


def push_forward(u: Tensor, prior: str) -> Tensor:
    r"""Carry standard normals to the prior: z = T(u).

    .. math::
        T(u) = u, \qquad T(u) = 2\Phi(u) - 1, \qquad T(u) = \sqrt{d}\, u / \lVert u \rVert

    Parameters
    ----------
    u : Tensor of shape (n, d)
        Draws from N(0, I); differentiable.
    prior : {"normal", "uniform", "sphere"}

    Returns
    -------
    Tensor of shape (n, d)
        Draws from the prior.

    Raises
    ------
    UnknownNameError
        If the prior is not one of :data:`PRIORS`.

    Examples
    --------
    >>> import torch
    >>> push_forward(torch.zeros(1, 2), "uniform").tolist()
    [[0.0, 0.0]]
    """
    if prior == "normal":
        return u
    if prior == "uniform":
        # 2 Phi(u) - 1 = erf(u / sqrt 2): no cancellation around zero.
        return (u / math.sqrt(2.0)).erf()
    if prior == "sphere":
        import torch

        norm: Tensor = torch.linalg.vector_norm(u, dim=-1, keepdim=True)
        return u * (math.sqrt(u.shape[-1]) / norm)
    raise UnknownNameError("prior", prior, PRIORS)


def sample_prior(n: int, dim: int, prior: str, generator: Generator) -> Tensor:
    """Draw latent codes on the device of a random generator.

    Parameters
    ----------
    n, dim : int
        How many codes, of how many coordinates.
    prior : {"normal", "uniform", "sphere"}
    generator : torch.Generator
        Source of randomness; its device is the device of the result.

    Returns
    -------
    Tensor of shape (n, dim), float32

    Raises
    ------
    UnknownNameError
        If the prior is not one of :data:`PRIORS`.

    Examples
    --------
    >>> import torch
    >>> codes = sample_prior(3, 2, "sphere", torch.Generator().manual_seed(0))
    >>> torch.allclose(codes.norm(dim=1), torch.tensor(2.0).sqrt())
    True
    """
    import torch

    return push_forward(torch.randn(n, dim, generator=generator, device=generator.device), prior)
