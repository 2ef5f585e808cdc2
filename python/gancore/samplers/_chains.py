r"""Langevin chains on any energy, a torch function or a Gaussian mixture, at a stated temperature.

.. math::
    z' = z - \eta \nabla E(z) + \sqrt{2 \eta T}\, \xi, \qquad p(z) \propto e^{-E(z) / T}

Roberts and Tweedie, "Exponential convergence of Langevin distributions and their discrete approximations" (1996).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import torch
from torch import Tensor

from gancore import _check
from gancore.errors import BackendError, DTypeError, IncompatibleChoiceError, ShapeError, UnknownNameError
from gancore.kernels.langevin import GaussianMixture
from gancore.samplers._diagnostics import effective_sample_size, nested_r_hat, split_r_hat
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._trace import Trace
from gancore.samplers._tuning import PILOT_SIZE, tuned_step_size
from gancore.samplers._underdamped import FRICTION, kept_velocity
from gancore.samplers._walker import Walker

if TYPE_CHECKING:
    from collections.abc import Callable

    EnergyLike: TypeAlias = GaussianMixture | Callable[[Tensor], Any]

__all__ = ["langevin"]

_INTEGRATORS = ("euler", "baoab")
_UNADJUSTED_SHARE = 0.1
_FAR = 1e30
"""Where a float32 squared is still finite after a few more steps as a double."""


def langevin(
    energy: EnergyLike,
    initial: Any,
    *,
    steps: int,
    step_size: float | Literal["auto"] = "auto",
    temperature: float = 1.0,
    metropolis: bool = False,
    integrator: Literal["euler", "baoab"] = "euler",
    friction: float = FRICTION,
    velocity: Tensor | None = None,
    thinning: int | None = None,
    seed: int = 0,
    first_step: int = 0,
) -> Samples:
    r"""Run one Langevin chain from each row, with the target proportional to exp(-E/T).

    The noise follows from step size and temperature. A loop ``z - a * grad + b * noise`` of other code has step size
    a and temperature b^2 / (2 a).

    Parameters
    ----------
    energy : GaussianMixture or callable
        States (n, d) to energies (n,), differentiable and each of its own row alone.
    initial : Tensor of shape (n, d), float32 or float64
        Where the chains start; left as it is.
    steps : int
        Length of each chain.
    step_size : float or "auto"
        The eta above. "auto" tunes it to the acceptance 0.574 of Metropolis-adjusted pilot chains from the first 64
        rows, and freezes it; without `metropolis`, a tenth of that is used.
    temperature : float
        T, positive.
    metropolis : bool
        Accept or reject each step (MALA): exact at any step size. Without it, one Gaussian of variance s^2 comes out
        with variance T s^2 / (1 - eta / (2 s^2)).
    integrator : {"euler", "baoab"}
        "baoab" gives the chains velocities (underdamped dynamics), in steps of time :math:`\sqrt{2 \eta}`: positions of
        a Gaussian then have its variance at any stable step. It has no `metropolis`.
    friction : float
        For "baoab": the rate at which velocities are forgotten; best near twice the slowest frequency of the target,
        1 / s for a Gaussian of standard deviation s at temperature 1.
    velocity : Tensor as `initial`, optional
        For "baoab": how fast the chains start, in units of the root of the temperature; normal draws, if not given.
    thinning : int, optional
        Keep the states after every so many steps, instead of the last ones.
    seed : int
        Chain i of a seed draws the same numbers whatever the number of chains.
    first_step : int
        Number of the first step: a run continued from its end with this at the steps done so far, and its
        step size and velocity, is the run that was never interrupted.

    Returns
    -------
    Samples
        `x` and `z` are the final states (n, d), or (steps // thinning, n, d). Energies are E, not E / T.

    Raises
    ------
    DomainError, DTypeError, ShapeError
        If an argument is out of range, or the energy's output is not (n,) or (n, 1).
    BackendError
        If the energy has no gradient.
    IncompatibleChoiceError
        If "baoab" is to be corrected by `metropolis`, or velocities are given to chains that have none.
    NumericalError
        If an energy or gradient is not finite at the start, or becomes so in all chains.

    Warns
    -----
    SamplingWarning
        If an energy or gradient becomes nan or infinite in some chains, which then stop and are named in
        `info.stopped`, or if nearly all steps are rejected, or none of a given step size.

    Notes
    -----
    Cost: n x (steps + 1) gradients, plus 64 x 151 for tuning.

    Examples
    --------
    >>> import torch
    >>> chains = langevin(lambda z: z.square().sum(dim=1), torch.zeros(2000, 1), steps=60, metropolis=True)
    >>> round(float(chains.x.var()), 1)  # exp(-z^2) is N(0, 1/2)
    0.5
    """
    _check.integer("steps", steps, least=1)
    _check.integer("first_step", first_step, least=0)
    _check.number("temperature", temperature, above=0.0)
    if thinning is not None:
        _check.integer("thinning", thinning, least=1)
    if step_size != "auto":
        _check.number("step_size", step_size, above=0.0)
    if not isinstance(initial, Tensor) or initial.dtype not in (torch.float32, torch.float64):
        got = initial.dtype if isinstance(initial, Tensor) else type(initial).__name__
        raise DTypeError(f"initial: expected a tensor of float32 or float64, got {got}")
    if initial.ndim != 2 or 0 in initial.shape:
        raise ShapeError(f"initial: expected shape (n, d) with n, d >= 1, got {tuple(initial.shape)}")
    _check_integrator(integrator, friction, velocity, initial, metropolis=metropolis)
    tempered = _Tempered(energy, temperature)
    first = initial.detach().clone(memory_format=torch.contiguous_format)
    if step_size == "auto":
        tuned = tuned_step_size(tempered, first[:PILOT_SIZE].clone(), seed=seed) / temperature
        eta = tuned * (1.0 if metropolis else _UNADJUSTED_SHARE)
    else:
        eta = step_size
    n = len(first)
    trace = Trace(n, steps)
    walker = Walker(
        tempered,
        sampler="langevin",
        step_size=eta * temperature,
        metropolis=metropolis,
        split=False,
        keep=kept_velocity(eta, friction) if integrator == "baoab" else None,
        seed=seed,
    )
    state = walker.start(first, 0, None if velocity is None else velocity.detach().clone())
    trace.record(0, state.energy * temperature, 0)
    kept = []
    for step in range(steps):
        if not walker.stops.all_held:
            state = walker.step(state, first_step + step)
        trace.record(step + 1, state.energy * temperature, 0)
        if thinning is not None and (step + 1) % thinning == 0:
            kept.append(state.u.clone())
    walker.tell(n, step_size=eta, chosen=step_size != "auto")
    states = state.u if thinning is None else torch.stack(kept) if kept else first.new_empty((0, *first.shape))
    info = SamplerInfo(
        sampler="langevin",
        acceptance=walker.acceptance,
        energies=tuple((trace.total / n).tolist()),
        step_size=eta,
        temperature=temperature,
        effective_sample_size=effective_sample_size(trace.late_half()),
        r_hat=split_r_hat(trace.late_half()),
        nested_r_hat=nested_r_hat(trace.late_half(), trace.starts()),
        critic_calls=tempered.calls,
        stopped=walker.stops.steps,
    )
    return Samples(states, states, info, state.v)


def _check_integrator(
    integrator: str, friction: float, velocity: Tensor | None, initial: Tensor, *, metropolis: bool
) -> None:
    if integrator not in _INTEGRATORS:
        raise UnknownNameError("integrator", integrator, _INTEGRATORS)
    _check.number("friction", friction, above=0.0)
    if integrator == "baoab" and metropolis:
        raise IncompatibleChoiceError("metropolis: integrator='baoab' has no such correction; take 'euler'")
    if velocity is None:
        return
    if integrator != "baoab":
        raise IncompatibleChoiceError("velocity: chains have one only with integrator='baoab'")
    if velocity.shape != initial.shape or velocity.dtype != initial.dtype:
        raise ShapeError(
            f"velocity: expected {initial.dtype} of shape {tuple(initial.shape)} as `initial`, got {velocity.dtype} of "
            f"{tuple(velocity.shape)}"
        )


@final
class _Tempered:
    """E / T of states, with its gradient."""

    def __init__(self, energy: EnergyLike, temperature: float) -> None:
        self._energy = energy
        self._temperature = temperature
        self.calls = 0

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Energies, float64 (n,), and their gradient, as `u`."""
        self.calls += len(u)
        if isinstance(self._energy, GaussianMixture):
            # A chain that has left the numbers must not take the others with it.
            near = (u.abs() < _FAR).all(dim=1)
            there = torch.where(near[:, None], u, 0.0)
            energies = self._energy.energy(there).masked_fill(~near, torch.inf)
            return energies / self._temperature, self._energy.grad(there) / self._temperature
        leaf = u.detach().requires_grad_()
        with torch.enable_grad():
            values = self._energy(leaf)
            if not isinstance(values, Tensor) or tuple(values.shape) not in ((len(u),), (len(u), 1)):
                got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
                raise ShapeError(f"energy: expected output of shape ({len(u)},) or ({len(u)}, 1), got {got}")
            gradient = None
            if values.requires_grad:
                (gradient,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
        if gradient is None:
            raise BackendError("energy: its output has no gradient with respect to the states")
        return values.detach().reshape(-1).double() / self._temperature, gradient / self._temperature
