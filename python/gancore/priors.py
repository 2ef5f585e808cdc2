"""Latent priors, each a push-forward z = T(u) of u ~ N(0, I).

Written so, every prior is sampled by drawing normals, and a Markov chain on u needs neither borders nor clipping
nor Jacobians: its target is N(0, I) times whatever the critic says of G(T(u)), and Metropolis stays exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gancore import _check
from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["PRIORS", "TRUNCATION", "check_truncation", "push_forward", "sample_prior"]

PRIORS = ("normal", "uniform", "sphere", "truncated_normal")
"""``normal``: N(0, I). ``uniform``: U(-1, 1) in every coordinate. ``sphere``: radius sqrt(d), uniform direction.
``truncated_normal``: N(0, 1) in every coordinate, given that it lies within the truncation."""

TRUNCATION = 2.0
"""Where the truncated normal ends unless told otherwise: the two standard deviations that BigGAN trains without and
samples with (A. Brock, J. Donahue, K. Simonyan, "Large Scale GAN Training", 2019, section 3.1)."""

_WIDEST = 8.0
"""Beyond, the truncated normal cannot be told from the normal in double precision."""


def push_forward(u: Tensor, prior: str, *, truncation: float = TRUNCATION) -> Tensor:
    r"""Carry standard normals to the prior: z = T(u).

    .. math::
        T(u) = u, \qquad T(u) = 2\Phi(u) - 1, \qquad T(u) = \sqrt{d}\, u / \lVert u \rVert, \qquad
        T(u) = \sqrt2\,\mathrm{erf}^{-1}\bigl(\mathrm{erf}(\tau / \sqrt2)\, \mathrm{erf}(u / \sqrt2)\bigr)

    Parameters
    ----------
    u : Tensor of shape (n, d)
        Draws from N(0, I); differentiable.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Which T.
    truncation : float
        The tau above, at most 8: no coordinate of a truncated normal lies further out. Other priors have none.

    Returns
    -------
    Tensor of shape (n, d)
        Draws from the prior.

    Raises
    ------
    UnknownNameError
        If the prior is not one of :data:`PRIORS`.
    DomainError
        If the truncation is out of range.

    Examples
    --------
    >>> import torch
    >>> push_forward(torch.zeros(1, 2), "uniform").tolist()
    [[0.0, 0.0]]
    >>> push_forward(torch.tensor([[-100.0, 0.0, 100.0]]), "truncated_normal", truncation=0.5).tolist()
    [[-0.5, 0.0, 0.5]]
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
    if prior == "truncated_normal":
        check_truncation(truncation)
        root = math.sqrt(2.0)
        # In double precision: erf is flat where its inverse is steep.
        return (root * (math.erf(truncation / root) * (u.double() / root).erf()).erfinv()).to(u.dtype)
    raise UnknownNameError("prior", prior, PRIORS)


def check_truncation(truncation: float) -> None:
    """Require a truncation that leaves something, and takes something away.

    Raises
    ------
    DTypeError, DomainError
        If it is no number above 0 and at most 8.
    """
    _check.number("truncation", truncation, above=0.0, below=math.nextafter(_WIDEST, math.inf))


def sample_prior(n: int, dim: int, prior: str, generator: Generator, *, truncation: float = TRUNCATION) -> Tensor:
    """Draw latent codes on the device of a random generator.

    Parameters
    ----------
    n, dim : int
        How many codes, of how many coordinates.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Their distribution.
    generator : torch.Generator
        Source of randomness; its device is the device of the result.
    truncation : float
        Where a truncated normal ends.

    Returns
    -------
    Tensor of shape (n, dim), float32

    Raises
    ------
    UnknownNameError, DomainError
        As :func:`push_forward`.

    Examples
    --------
    >>> import torch
    >>> codes = sample_prior(3, 2, "sphere", torch.Generator().manual_seed(0))
    >>> torch.allclose(codes.norm(dim=1), torch.tensor(2.0).sqrt())
    True
    """
    import torch

    return push_forward(torch.randn(n, dim, generator=generator, device=generator.device), prior, truncation=truncation)
