"""What a sampler is: one call that takes a generator and a critic, and returns samples and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.objectives._interface import CriticKind

__all__ = ["Network", "Sampler", "SamplerInfo", "Samples"]

Network: TypeAlias = Callable[..., Any]
"""A torch module, or any callable from a batch of tensors to a batch of tensors."""


@dataclass(frozen=True, kw_only=True)
class SamplerInfo:
    """Diagnostics of a sampler's run; a field that has no meaning for a sampler is None.

    Attributes
    ----------
    sampler : str
        The sampler's registered name.
    acceptance : float or None
        Share of accepted proposals.
    energies : tuple of float
        Mean energy over the chains: at the start, then after each step.
    step_size : float or None
        The step size used, after tuning if it was tuned.
    temperature : float or None
        The temperature whose distribution was sampled.
    effective_sample_size, r_hat : float or None
        Of the energy, over chains and steps; see the sampler for which of them.
    nested_r_hat : float or None
        For many short chains, whose `r_hat` is large even where all of them together are a fair sample: whether chains
        still differ by the energy that they started at. Near 1 if they have forgotten it; some part of a start is left
        above 1.1.
    critic_calls, generator_calls : int
        How many samples went through each network, calibration and tuning included.
    calibration : dict of str to float
        Slope, offset and held-out log-losses of the critic's calibration; empty without one.
    stopped : dict of int to int
        Chains whose energy or gradient became nan or infinite, by number, and the step after which it was (1 for the
        first): their samples are the last finite ones.
    compiled : bool
        Whether the chains were run by a compiled kernel, without a call of torch.
    unscored : int
        Proposals whose score was nan or infinite: `rejection` and `metropolis_hastings` turn them down.
    """

    sampler: str
    acceptance: float | None = None
    energies: tuple[float, ...] = ()
    step_size: float | None = None
    temperature: float | None = None
    effective_sample_size: float | None = None
    r_hat: float | None = None
    nested_r_hat: float | None = None
    critic_calls: int = 0
    generator_calls: int = 0
    calibration: dict[str, float] = field(default_factory=dict)
    stopped: dict[int, int] = field(default_factory=dict)
    compiled: bool = False
    unscored: int = 0


@dataclass(frozen=True)
class Samples:
    """Samples x = G(z) of shape (n, ...), their codes z of shape (n, latent_dim), and diagnostics.

    `velocity` is how fast underdamped chains of :func:`langevin` ended, in units of the root of the temperature: what
    a continued run starts from.
    """

    x: Tensor
    z: Tensor
    info: SamplerInfo
    velocity: Tensor | None = None


class Sampler(Protocol):
    """The arguments that every sampler takes; each may take more, by name.

    `generator` maps codes (n, latent_dim) to samples (n, ...), `critic` maps samples to (n,) or (n, 1), and
    `critic_kind` says how its output reads. A module is put in evaluation mode, its parameters get no
    gradients, and all is as it was when the call returns. Samples lie on the generator's device. `batch_size`
    bounds how many chains are in memory at a time, and never changes what noise a chain sees. Chain i of a
    seed is the same whatever n.
    """

    def __call__(
        self,
        generator: Network,
        critic: Network,
        n: int,
        *,
        latent_dim: int,
        prior: str = ...,
        truncation: float = ...,
        seed: int = ...,
        critic_kind: CriticKind = ...,
        batch_size: int = ...,
        progress: bool = ...,
    ) -> Samples:
        """Draw n samples."""
