"""Chains that go on where the last ones ended: what persistent contrastive divergence takes its negatives from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch

from gancore import _check
from gancore.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from gancore.kernels.langevin import philox_normal, philox_uniform
from gancore.priors import PRIORS, push_forward
from gancore.samplers._chains import langevin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from gancore.samplers._chains import EnergyLike
    from gancore.samplers._interface import Samples

__all__ = ["ReplayBuffer"]

_ROWS, _RENEWALS, _FRESH = 8, 9, 10
"""Streams of this buffer's own draws, apart from those of the chains."""


@final
class ReplayBuffer:
    """States of persistent chains on an energy that learns.

    Each :meth:`advance` picks some of the states, begins a share of them afresh, walks them on by Langevin steps and
    puts them back (T. Tieleman, "Training Restricted Boltzmann Machines using Approximations to the Likelihood
    Gradient", 2008; the share, Y. Du and I. Mordatch, "Implicit Generation and Modeling with Energy-Based Models",
    2019). All randomness is by counter, so that a buffer restored from its :meth:`state_dict` goes on bit for bit.

    Parameters
    ----------
    capacity : int
        How many chains are kept.
    dim : int
        Coordinates of a state.
    renewal : float
        Probability with which a picked chain begins afresh, from 0 to 1.
    initial : {"normal", "uniform", "sphere", "truncated_normal"} or callable
        Where chains begin: a prior of :mod:`gancore.priors`, or what carries standard normals (n, dim) there.
    seed : int
        Same seed, same states.

    Raises
    ------
    DomainError, DTypeError
        If a number is out of range.
    UnknownNameError
        If there is no such prior.

    Examples
    --------
    >>> buffer = ReplayBuffer(100, 2, initial="uniform")
    >>> negatives = buffer.advance(lambda x: x.square().sum(dim=1), 32, steps=5, step_size=0.01)
    >>> negatives.x.shape
    torch.Size([32, 2])
    """

    def __init__(
        self,
        capacity: int,
        dim: int,
        *,
        renewal: float = 0.05,
        initial: str | Callable[[Tensor], Tensor] = "normal",
        seed: int = 0,
    ) -> None:
        _check.integer("capacity", capacity, least=1)
        _check.integer("dim", dim, least=1)
        _check.number("renewal", renewal, least=0.0)
        if renewal > 1:
            raise DomainError(f"renewal: expected a probability, got {renewal:g}")
        if isinstance(initial, str) and initial not in PRIORS:
            raise UnknownNameError("initial", initial, PRIORS)
        self._renewal = renewal
        self._initial = initial
        self._seed = seed
        self._dim = dim
        self._draws = 0
        self._steps = 0
        self.states = self._fresh(capacity)
        self._lost = torch.zeros(capacity, dtype=torch.bool)

    def __len__(self) -> int:
        """How many chains are kept."""
        return len(self.states)

    def advance(
        self,
        energy: EnergyLike,
        n: int,
        *,
        steps: int,
        step_size: float,
        temperature: float = 1.0,
        metropolis: bool = False,
        device: torch.device | str | None = None,
    ) -> Samples:
        """Walk n of the chains on, and keep where they get to.

        Parameters
        ----------
        energy : GaussianMixture or callable
            As :func:`langevin` takes it.
        n : int
            How many chains, all different: at most the capacity.
        steps, step_size, temperature, metropolis
            As :func:`langevin` takes them.
        device : device, optional
            Where to walk; the buffer itself stays in main memory.

        Returns
        -------
        Samples
            `x` is (n, dim). A chain that stopped, because its energy became nan or infinite, begins afresh when it is
            picked next.

        Raises
        ------
        DomainError
            If n is more than the capacity, or as :func:`langevin`.
        """
        _check.integer("n", n, least=1)
        if n > len(self):
            raise DomainError(f"n: expected at most the capacity {len(self)}, got {n}")
        at: dict[str, Any] = {"seed": self._seed, "step": self._draws}
        order = torch.from_numpy(philox_uniform(len(self), stream=_ROWS, **at)).argsort()
        rows = order[:n]
        again = torch.from_numpy(philox_uniform(len(self), stream=_RENEWALS, **at)) < self._renewal
        self._draws += 1
        begun = torch.where((again | self._lost)[rows, None], self._fresh(len(self))[rows], self.states[rows])
        samples = langevin(
            energy,
            begun.to(device),
            steps=steps,
            step_size=step_size,
            temperature=temperature,
            metropolis=metropolis,
            seed=self._seed,
            first_step=self._steps,
        )
        self._steps += steps
        self.states[rows] = samples.x.cpu()
        self._lost[rows] = torch.tensor([chain in samples.info.stopped for chain in range(n)])
        return samples

    def state_dict(self) -> dict[str, Tensor]:
        """All that changes, as tensors: copies, for a checkpoint."""
        return {
            "states": self.states.clone(),
            "lost": self._lost.clone(),
            "counts": torch.tensor([self._draws, self._steps]),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a :meth:`state_dict` of a buffer that was made with the same arguments.

        Raises
        ------
        ShapeError, DTypeError
            If it is that of a buffer of another size, or none.
        """
        missing = {"states", "lost", "counts"} - state.keys()
        if missing:
            raise DTypeError(f"state: expected the tensors of a buffer's state_dict, got none named {min(missing)!r}")
        if state["states"].shape != self.states.shape:
            raise ShapeError(
                f"state: expected states of shape {tuple(self.states.shape)}, got {tuple(state['states'].shape)}"
            )
        self.states = state["states"].clone()
        self._lost = state["lost"].clone()
        self._draws, self._steps = state["counts"].tolist()

    def _fresh(self, n: int) -> Tensor:
        normals = torch.from_numpy(philox_normal((n, self._dim), seed=self._seed, stream=_FRESH, step=self._draws))
        states = push_forward(normals, self._initial) if isinstance(self._initial, str) else self._initial(normals)
        if states.shape != normals.shape:
            raise ShapeError(f"initial: expected states of shape {tuple(normals.shape)}, got {tuple(states.shape)}")
        return states.clone()
