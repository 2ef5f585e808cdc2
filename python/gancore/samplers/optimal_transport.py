r"""Discriminator optimal transport: each code moves a little, to where the critic scores higher.

.. math::
    \min_u\; \sqrt{\lVert u - u_0 \rVert^2 + \epsilon^2} - d(G(T(u))) / k, \qquad
    k = \max_{\text{pairs}} \frac{|d(G(T(u))) - d(G(T(u')))|}{\lVert u - u' \rVert}

A. Tanaka, "Discriminator optimal transport" (2019), equations 14 and 15 and algorithm 2, in the space of the prior's
normals; or, by equation 9 and algorithm 1, in that of the samples, where x takes the place of u and d(x) that of
d(G(T(u))). No sampler of a known distribution: where paths meet, coverage is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, final

import torch

from gancore import _check
from gancore._at_rest import at_rest
from gancore._progress import progress_bar
from gancore.errors import DomainError, UnknownNameError
from gancore.priors import TRUNCATION
from gancore.samplers._calibration import set_scale
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._langevin import State, start
from gancore.samplers._noise import PILOT_CHAINS, initial_normals
from gancore.samplers._stops import Stops

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["optimal_transport"]

_SPACES = ("latent", "target")
_PAIRS = 100
_SOFTENING = 1e-3


def optimal_transport(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    space: Literal["latent", "target"] = "latent",
    steps: int = 100,
    step_size: float = 0.01,
    lipschitz: float | None = None,
    calibrate: Any = None,
    seed: int = 0,
    critic_kind: CriticKind = "logit",
    batch_size: int = 256,
    progress: bool = False,
) -> Samples:
    r"""Move codes from the prior by gradient descent on the transport problem, and generate from them.

    Parameters
    ----------
    generator : callable
        Codes (n, latent_dim) to samples (n, ...), differentiable.
    critic : callable
        Samples to scores (n,) or (n, 1), differentiable.
    n : int
        How many samples; they start at the codes of :func:`plain`.
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of the codes. The descent is on its normals, so that no border needs clipping.
    truncation : float
        Where a truncated normal ends.
    space : {"latent", "target"}
        "latent" moves codes, so that samples stay what the generator can give; "target" moves the samples themselves,
        which mends what the generator cannot, and, of images, may add what only a critic sees. `z` then are the codes
        that samples set out from.
    steps : int
        Steps of gradient descent.
    step_size : float
        Length of a step where the critic is as steep as `lipschitz`: no code moves further than twice the sum of these
        unless the critic is steeper.
    lipschitz : float, optional
        The k above; estimated if not given, from 100 pairs of codes.
    calibrate : None, or anything :func:`~gancore.datasets.as_data` takes
        Real samples that the critic was not trained on, to refuse a critic that knows nothing. A slope cancels in d / k
        if k is estimated.
    seed : int
        Sample i of a seed is the same whatever n and batch_size.
    critic_kind : {"logit", "probability", "hinge", "wasserstein"}
        How the critic's output reads; the last two have no scale until they are calibrated.
    batch_size : int
        How many codes are moved at a time.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    Samples
        On the generator's device. The energies of `info` are minus the critic's score over k.

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, a network does not take what it is given, or calibration finds that
        the critic knows nothing.
    BackendError
        If the critic's score has no gradient with respect to the code.
    NumericalError
        If a score or gradient is not finite at the start, or becomes so for all codes.

    Warns
    -----
    SamplingWarning
        If it becomes so for some codes, which stop and are named in `info.stopped`.

    Notes
    -----
    Cost: n x (steps + 1) gradients through both networks, plus 200 forward passes for k.

    Examples
    --------
    >>> import torch
    >>> moved = optimal_transport(lambda z: z, lambda x: -x.square().sum(dim=1), 500, latent_dim=2)
    >>> bool(moved.x.norm(dim=1).mean() < 1.2)
    True
    """
    if space not in _SPACES:
        raise UnknownNameError("space", space, _SPACES)
    check_request(n, latent_dim, prior, truncation, batch_size)
    _check.integer("steps", steps, least=1)
    _check.number("step_size", step_size, above=0.0)
    if lipschitz is not None:
        _check.number("lipschitz", lipschitz, above=0.0)
    with at_rest(generator, critic):
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        calibration = set_scale(energy, calibrate, seed=seed, batch_size=batch_size)
        place: _Place = _Latent(energy) if space == "latent" else _Target(energy)
        k = _steepness(energy, place, seed) if lipschitz is None else lipschitz
        totals = torch.zeros(steps + 1, dtype=torch.float64)
        stops = Stops("optimal_transport")
        codes, samples = [], []
        with progress_bar("optimal_transport", n * steps, shown=progress) as advance:
            for first in range(0, n, batch_size):
                many = min(batch_size, n - first)
                u = initial_normals(many, latent_dim, seed=seed, first_chain=first, device=energy.device)
                origin = place.points(u)
                stops.begin()
                state = start(place, origin, first)
                for step in range(steps + 1):
                    totals[step] += (state.energy / k).sum().cpu()
                    if step < steps and not stops.all_held:
                        away = state.u - origin
                        length = (away.square().sum(dim=1, keepdim=True) + _SOFTENING**2).sqrt()
                        moved = state.u - step_size * (away / length + state.gradient / k)
                        state = stops.settle(state, State(moved, *place.value_and_grad(moved), first), step + 1)
                    advance(many if step < steps else 0)
                z, x = place.result(state.u)
                codes.append(z)
                samples.append(x)
    stops.tell(n, f"lower the step size, which was {step_size:g}")
    info = SamplerInfo(
        sampler="optimal_transport",
        energies=tuple((totals / n).tolist()),
        step_size=step_size,
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=calibration | {"lipschitz": k},
        stopped=stops.steps,
    )
    return Samples(torch.cat(samples), torch.cat(codes), info)


class _Place(Protocol):
    """Where points move: rows (n, d), whose energy is minus the critic's score."""

    def points(self, u: Tensor) -> Tensor:
        """Where the samples of normals set out from."""

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Energies and their gradient."""

    def result(self, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Codes and samples of the points last set out from, which have moved."""


@final
class _Latent:
    def __init__(self, energy: LatentEnergy) -> None:
        self._energy = energy

    def points(self, u: Tensor) -> Tensor:
        return u

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = self._energy.value_and_grad(u)
        # The prior's share is taken out again: here it is the start that holds a code back.
        return value - 0.5 * u.double().square().sum(dim=1), gradient - u

    def result(self, moved: Tensor) -> tuple[Tensor, Tensor]:
        return self._energy.decode(moved)


@final
class _Target:
    def __init__(self, energy: LatentEnergy) -> None:
        self._energy = energy
        self._codes: Tensor | None = None
        self._shape: tuple[int, ...] = ()

    def points(self, u: Tensor) -> Tensor:
        self._codes, x = self._energy.decode(u)
        self._shape = x.shape[1:]
        return x.flatten(1)

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        score, gradient = self._energy.sample_gradient(u.reshape(-1, *self._shape))
        return -score, -gradient.flatten(1)

    def result(self, moved: Tensor) -> tuple[Tensor, Tensor]:
        return cast("Tensor", self._codes), moved.reshape(-1, *self._shape)


def _steepness(energy: LatentEnergy, place: _Place, seed: int) -> float:
    """The largest slope of the score between pairs of points."""
    u = initial_normals(2 * _PAIRS, energy.latent_dim, seed=seed, first_chain=PILOT_CHAINS, device=energy.device)
    scores = energy.scores(energy.decode(u)[1])
    points = place.points(u).double()
    distances = torch.linalg.vector_norm(points[:_PAIRS] - points[_PAIRS:], dim=1)
    # A generator may send two codes to one sample, whose scores then agree too.
    slopes = ((scores[:_PAIRS] - scores[_PAIRS:]).abs() / distances)[distances > 0]
    steepest = float(slopes.max()) if len(slopes) else 0.0
    if steepest == 0.0:
        raise DomainError("critic: gives every sample the same score, so there is nowhere to move; sample plainly")
    return steepest
