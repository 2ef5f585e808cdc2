"""Where chains of a compiled energy end, and what those with velocities need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gancore.errors import IncompatibleChoiceError, UnknownNameError
from gancore.kernels._dispatch import is_tensor
from gancore.kernels._philox import philox_normal

__all__ = ["Chains", "has_velocities", "initial_velocities"]

_INTEGRATORS = ("euler", "baoab")


@dataclass(frozen=True, eq=False)
class Chains:
    """Where chains ended and how they went.

    Attributes
    ----------
    states : array of shape (n, d)
        Final states, of the kind and element type of the initial ones.
    energies : array of shape (steps,), float64
        Mean energy over the chains after each step; empty if not recorded.
    acceptance : float or None
        Share of accepted proposals; None without Metropolis' test.
    velocity : array as `states` or None
        How fast chains with velocities ended, in units of the root of the temperature; None for others.
    """

    states: Any
    energies: Any
    acceptance: float | None
    velocity: Any = None


def has_velocities(integrator: str, velocity: Any, *, metropolis: bool) -> bool:
    """Whether an integrator gives chains velocities, refused with what does not go with it."""
    if integrator not in _INTEGRATORS:
        raise UnknownNameError("integrator", integrator, _INTEGRATORS)
    if integrator == "baoab" and metropolis:
        raise IncompatibleChoiceError("metropolis: integrator='baoab' has no such correction; take 'euler'")
    if integrator == "euler" and velocity is not None:
        raise IncompatibleChoiceError("velocity: chains have one only with integrator='baoab'")
    return integrator == "baoab"


def initial_velocities(initial: Any, seed: int, first_chain: int) -> Any:
    """Normal draws at step 1 of the stream of initial states, which at step 0 may have drawn the states."""
    dtype = "float32" if str(getattr(initial, "dtype", "")).endswith("float32") else "float64"
    return philox_normal(
        np.shape(initial),
        seed=seed,
        stream="initial",
        step=1,
        first_chain=first_chain,
        dtype=dtype,
        device=initial.device if is_tensor(initial) else None,
    )
