"""Mixtures of isotropic Gaussians: energy, gradient, draws, and whole Langevin chains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gancore._check import integer
from gancore.errors import BackendError, ShapeError
from gancore.kernels._chains import Chains, has_velocities, initial_velocities
from gancore.kernels._dispatch import call, fill, is_tensor, refuse_gradients, to_numpy
from gancore.kernels._philox import counter

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.kernels._dispatch import Array

__all__ = ["GaussianMixture"]


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    r"""A mixture of Gaussians with covariances s_k^2 I, as an energy and as a distribution.

    .. math::
        E(x) = -\log p(x) = -\log \sum_k w_k\, N(x; \mu_k, s_k^2 I)

    Parameters
    ----------
    means : array of shape (k, d)
        One row a component. The parameters are kept on the CPU, as float64.
    stds : float or array of shape (k,)
        Standard deviations, between 1e-150 and 1e150.
    weights : array of shape (k,), optional
        Positive, of sum 1 within 1e-6 (the rest is rescaled away); equal by default.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DomainError
        If a mean is not finite, a standard deviation out of range, or the weights are no distribution.
    BackendError
        If a parameter is a tensor on another device than the CPU.

    Notes
    -----
    Bishop, *Pattern Recognition and Machine Learning* (2006), section 9.2.

    Examples
    --------
    >>> import numpy as np
    >>> mixture = GaussianMixture([[-2.0, 0.0], [2.0, 0.0]], 0.5)
    >>> mixture.grad(np.array([[0.0, 1.0]]))
    array([[0., 4.]])
    >>> chains = mixture.langevin(np.zeros((1000, 2)), steps=200, step_size=0.05, metropolis=True, seed=0)
    >>> bool(0.4 < (chains.states[:, 0] > 0).mean() < 0.6)
    True
    """

    means: Any
    stds: Any
    weights: Any = None
    _parts: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        means = _parameter("means", self.means)
        if means.ndim != 2 or 0 in means.shape:
            raise ShapeError(f"`means` must have shape (k, d) with k, d >= 1; got {means.shape}")
        components = len(means)
        stds = _parameter("stds", self.stds)
        if stds.ndim == 0:
            stds = np.full(components, stds)
        equal = np.full(components, 1 / components)
        weights = equal if self.weights is None else _parameter("weights", self.weights)
        for name, values in (("means", means), ("stds", stds), ("weights", weights)):
            if name != "means" and values.shape != (components,):
                raise ShapeError(f"`{name}` must have shape ({components},), as `means` has rows; got {values.shape}")
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        object.__setattr__(self, "_parts", (means, stds, weights))
        # The kernel checks the parameters' domain; asking it once reports an error here instead of at the first use.
        self.energy(means[:1])

    def energy(self, x: Array) -> Any:
        """E(x) = -log p(x), right however far x lies from every mean.

        Parameters
        ----------
        x : array of shape (..., d)
            Points, finite; differentiable for torch input.

        Returns
        -------
        array of shape (...), float64
            Infinite where squared distances to the means pass 1e308.

        Raises
        ------
        ShapeError, DomainError, DTypeError
            If the points have another number of coordinates, are not finite, or not float32 or float64.
        """
        return call("langevin", "mixture_energy", x=x, settings={"parts": self._parts})

    def log_prob(self, x: Array) -> Any:
        """Logarithm of the density, -E(x); as :meth:`energy`."""
        return -self.energy(x)

    def grad(self, x: Array) -> Any:
        """Gradient of the energy.

        Parameters
        ----------
        x : array of shape (..., d)
            Points, finite; differentiable for torch input.

        Returns
        -------
        array of shape (..., d)
            Of the element type of `x`.

        Raises
        ------
        ShapeError, DomainError, DTypeError
            As :meth:`energy`; also DomainError where squared distances to the means pass 1e308.
        """
        return call("langevin", "mixture_gradient", x=x, settings={"parts": self._parts})

    def sample(self, n: int, seed: int, *, device: Any = None) -> Any:
        """Independent draws; draw i depends on seed and i alone.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            From 0 to 2**64 - 1.
        device : torch.device or str, optional
            Where to make a tensor; a NumPy array without.

        Returns
        -------
        array of shape (n, d), float64

        Raises
        ------
        DomainError, DTypeError
            If n or the seed is out of range or no integer.
        """
        integer("n", n, least=0)
        seed, _, _ = counter(seed, 0, 0, chains=n)
        shape = (int(n), self.means.shape[1])
        settings = {"parts": self._parts, "seed": seed}
        return fill("langevin", "mixture_sample", shape, dtype="float64", device=device, settings=settings)

    def langevin(
        self,
        initial: Array,
        *,
        steps: int,
        step_size: float,
        temperature: float = 1.0,
        metropolis: bool = False,
        integrator: Literal["euler", "baoab"] = "euler",
        friction: float = 2.0,
        velocity: Array | None = None,
        seed: int,
        first_step: int = 0,
        first_chain: int = 0,
        record_energy: bool = True,
    ) -> Chains:
        r"""Run Langevin chains whose target is proportional to exp(-E/T), without leaving the compiled kernel.

        .. math::
            z' = z - \eta \nabla E(z) + \sqrt{2 \eta T}\, \xi

        With Metropolis' test (MALA) the target is exact; without (ULA) it is biased by the step size, for one
        Gaussian to variance T s^2 / (1 - eta / (2 s^2)). Each row is one chain; chain c draws the same noise at
        step t in any batch, so a run may be split into pieces of chains, and of steps.

        Parameters
        ----------
        initial : array of shape (n, d)
            Where the chains start, n >= 1. float64 chains walk in float64 throughout; float32 chains in float32, with
            energies and acceptance ratios in float64, in less time.
        steps : int
            How many.
        step_size : float
            eta, positive.
        temperature : float, default 1
            T; at least 0, and above 0 with `metropolis`.
        metropolis : bool, default False
            Accept or reject each proposal.
        integrator : {"euler", "baoab"}
            "baoab" gives the chains velocities (underdamped dynamics), in steps of time :math:`\sqrt{2 \eta}`:
            positions of one Gaussian then have its variance at any stable step. It has no `metropolis`; T is positive.
        friction : float, default 2
            For "baoab": the rate at which velocities are forgotten.
        velocity : array as `initial`, optional
            For "baoab": how fast the chains start, in units of the root of T; normal draws by default.
        seed : int
            From 0 to 2**64 - 1.
        first_step, first_chain : int, default 0
            Numbers of the first step and of the first row's chain.
        record_energy : bool, default True
            Average the energy over the chains after each step.

        Returns
        -------
        Chains
            Final states, mean energies by step, acceptance, velocities.

        Raises
        ------
        ShapeError, DTypeError
            If the initial states do not fit the mixture.
        DomainError
            If a setting is out of range, an initial state is not finite, or, without Metropolis' test, a chain leaves
            the finite numbers: its row and step are named.
        BackendError
            If the gradient of the initial states is recorded: chains have none.
        UnknownNameError, IncompatibleChoiceError
            If there is no such integrator, or it does not go with `metropolis` or velocities.

        Notes
        -----
        O(n k d) a step; chains run in parallel, with the same bits for any number of threads. On a GPU, and where a
        parameter of the mixture is beyond the range of float32, float32 chains are float64 ones rounded once.
        Roberts and Tweedie, *Exponential convergence of Langevin distributions and their discrete approximations*
        (1996), section 1.4; Leimkuhler and Matthews, *Rational construction of stochastic numerical methods for
        molecular sampling* (2013), section 2.
        """
        refuse_gradients("langevin", initial=initial)
        integer("steps", steps, least=0)
        shape = np.shape(initial)
        if len(shape) != 2:
            raise ShapeError(f"`initial` must have shape (n, {self.means.shape[1]}); got {shape}")
        settings: dict[str, Any] = {
            "parts": self._parts,
            "pace": (float(step_size), float(temperature)),
            "counter": counter(seed, first_step, first_chain, chains=shape[0], steps=steps),
        }
        if has_velocities(integrator, velocity, metropolis=metropolis):
            if velocity is None:
                velocity = initial_velocities(initial, seed, first_chain)
            refuse_gradients("langevin", velocity=velocity)
            if np.shape(velocity) != shape:
                raise ShapeError(
                    f"`velocity` must have shape {tuple(shape)}, as `initial` has; got {np.shape(velocity)}"
                )
            settings |= {"friction": float(friction), "plan": (int(steps), bool(record_energy))}
            states, velocity, energies = call(
                "langevin", "mixture_underdamped", initial=initial, velocity=velocity, settings=settings
            )
            return Chains(states, energies, None, velocity)
        settings["plan"] = (int(steps), bool(metropolis), bool(record_energy))
        states, accepted, energies = call("langevin", "mixture_langevin", initial=initial, settings=settings)
        share = accepted / (shape[0] * steps) if metropolis and steps else None
        return Chains(states, energies, share)


def _parameter(name: str, values: Any) -> npt.NDArray[np.float64]:
    if is_tensor(values) and values.device.type != "cpu":
        raise BackendError(f"`{name}` must be on the CPU, where a mixture keeps it; got {values.device}: use .cpu()")
    return np.array(to_numpy(name, values), dtype=np.float64)
