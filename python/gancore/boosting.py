"""AdaGAN: a mixture of generators, each trained on the samples that the mixture so far makes too rarely."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np
import torch

from gancore import _check, systems
from gancore.datasets import Data, as_data
from gancore.errors import ConfigError, DomainError, ShapeError
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.training import train
from gancore.training.randomness import derive, isolated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from torch import Tensor, nn

    from gancore.networks._interface import NetworkFamily
    from gancore.systems import System
    from gancore.training import Run

__all__ = ["Mixture", "adagan", "boosting_weights"]

_JUDGE_BATCH = 128
_JUDGE_RATE = 1e-3


@final
@dataclass(frozen=True)
class Mixture:
    """Generators with weights.

    Attributes
    ----------
    runs : tuple of Run
        The components, in the order in which they were trained.
    weights : tuple of float
        The share of each; their sum is 1.
    """

    runs: tuple[Run, ...]
    weights: tuple[float, ...]

    def sample(self, n: int, *, seed: int = 0) -> Tensor:
        """Draw samples (n, *shape): a component for each by its weight, then a sample of it.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            Same seed, same samples.

        Raises
        ------
        DomainError
            If n is not positive.
        """
        _check.integer("n", n, least=1)
        rng = np.random.default_rng(derive(seed, "components"))
        chosen = rng.choice(len(self.runs), size=n, p=np.asarray(self.weights))
        first = self.runs[0]
        out = torch.empty(n, *first.shape, device=first.device)
        for i, run in enumerate(self.runs):
            places = np.flatnonzero(chosen == i)
            if len(places):
                x = run.sample(len(places), seed=derive(seed, f"component {i}")).x
                out[torch.from_numpy(places).to(out.device)] = x.to(out.device)
        return out


def adagan(
    system: System | str,
    data: object,
    *,
    components: int,
    steps: int,
    share: float | None = None,
    judge_steps: int = 500,
    out: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    **settings: Any,
) -> Mixture:
    r"""Boost a system: add one generator after the other to a mixture.

    .. math::
        P_t = (1 - \beta_t)\, P_{t-1} + \beta_t\, G_t, \qquad
        G_t \approx \frac{p_d}{\beta_t} \Bigl(\lambda^* - (1 - \beta_t)\, \frac{P_{t-1}}{p_d}\Bigr)_+

    Each component is a run of its own on data drawn again with the weights of :func:`boosting_weights`; the ratio of
    mixture to data comes from a critic of the system's networks, trained to tell them apart by cross-entropy.

    Parameters
    ----------
    system : System or str
        What each component is.
    data : object
        Anything that :func:`gancore.datasets.as_data` takes.
    components : int
        How many generators.
    steps : int
        Generator steps of each.
    share : float, optional
        :math:`\beta_t` of every component after the first, in (0, 1); 1/t if not given, so that all weigh alike.
    judge_steps : int
        Steps of the critic that weighs the data, for each component.
    out : str or Path, optional
        Folder; component i has its run under ``component-i``.
    resume : bool
        Go on where `out` stands: finished components are read, the one under way goes on from its checkpoint.
    seed : int
        Seed of everything; component i has its own, made of it.
    **settings
        Further settings of :func:`gancore.train`.

    Returns
    -------
    Mixture

    Raises
    ------
    DomainError
        If a number is out of range.
    ConfigError, DivergedError, DataError, TrainingError
        As :func:`gancore.train`.

    References
    ----------
    I. Tolstikhin et al., "AdaGAN: Boosting Generative Models", NeurIPS 2017, algorithms 1 and 2.

    Examples
    --------
    >>> points = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    >>> mixture = adagan("gan", points, components=2, steps=2, judge_steps=2, progress=False)
    >>> mixture.weights, tuple(mixture.sample(5).shape)
    ((0.5, 0.5), (5, 2))
    """
    _check.integer("components", components, least=1)
    _check.integer("judge_steps", judge_steps, least=1)
    if share is not None:
        _check.number("share", share, above=0.0, below=1.0)
    if resume and out is None:
        raise ConfigError("resume: needs `out`, the folder of the runs to go on with")
    system = systems.get(system)() if isinstance(system, str) else system
    samples = as_data(data)
    runs: list[Run] = []
    weights = np.zeros(0)
    for i in range(components):
        beta = 1 / (i + 1) if share is None or i == 0 else share
        subject: Data = samples
        if i > 0:
            mixture = Mixture(tuple(runs), tuple(weights.tolist()))
            ratio = _ratio(system.networks, samples, mixture, steps=judge_steps, seed=derive(seed, f"judge {i}"))
            subject = _Redrawn(samples, boosting_weights(ratio, beta), name=f"{samples.name}, weighted for {i}")
        folder = None if out is None else Path(out) / f"component-{i}"
        runs.append(
            train(
                system, subject, steps=steps, out=folder, resume=resume, seed=derive(seed, f"component {i}"), **settings
            )
        )
        weights = np.append(weights * (1 - beta), beta)
    return Mixture(tuple(runs), tuple(weights.tolist()))


def boosting_weights(ratio: Sequence[float] | npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    r"""Weights of data samples for the next component of a mixture.

    .. math::
        w_i = \frac{1}{N \beta} \bigl(\lambda^* - (1 - \beta)\, r_i\bigr)_+, \qquad \sum_i w_i = 1

    with :math:`r_i` the density of the mixture over that of the data at sample i: what the mixture makes often enough
    gets no weight, what it lacks the most.

    Parameters
    ----------
    ratio : array of shape (N,)
        The ratios, finite and not negative.
    share : float
        :math:`\beta`, the weight of the component, in (0, 1].

    Returns
    -------
    array of shape (N,), float64

    Raises
    ------
    ShapeError, DomainError
        If the ratios are empty, not one row, negative or not finite, or the share is out of range.

    Notes
    -----
    O(N log N). Tolstikhin et al. 2017, equation 7 and algorithm 2; lambda* is found exactly, by sorting.

    Examples
    --------
    >>> boosting_weights([0.0, 4.0], share=0.5)
    array([1., 0.])
    """
    r = np.asarray(ratio, dtype=np.float64)
    if r.ndim != 1 or len(r) == 0:
        raise ShapeError(f"ratio: expected one row of ratios, got shape {r.shape}")
    bad = np.flatnonzero(~(np.isfinite(r) & (r >= 0)))
    if len(bad):
        raise DomainError(f"ratio: expected finite numbers, not negative, got {r[bad[0]]} at index {bad[0]}")
    _check.number("share", share, above=0.0)
    if share > 1:
        raise DomainError(f"share: expected at most 1, got {share}")
    n = len(r)
    # Only differences matter; from the smallest on, large ratios cost no digits.
    owed = (1 - share) * (r - r.min())
    ascending = np.sort(owed)
    # With the k smallest in the support, sum_i (lambda - owed_i) = n share.
    candidates = (n * share + np.cumsum(ascending)) / np.arange(1, n + 1)
    level = candidates[np.flatnonzero(candidates > ascending)[-1]]
    weights: npt.NDArray[np.float64] = np.maximum(level - owed, 0.0) / (n * share)
    return weights


def _ratio(networks: NetworkFamily, data: Data, mixture: Mixture, *, steps: int, seed: int) -> npt.NDArray[np.float64]:
    """The mixture's density over the data's at each data sample, by a critic trained to tell them apart."""
    device = mixture.runs[0].device
    with isolated(derive(seed, "judge")):
        critic = _unbounded(networks).critic(data.shape).to(device)
    optimizer = torch.optim.Adam(critic.parameters(), lr=_JUDGE_RATE)
    order = torch.Generator().manual_seed(derive(seed, "order"))
    objective = Nonsaturating()
    for step in range(steps):
        real = data.batch(torch.randint(len(data), (_JUDGE_BATCH,), generator=order)).to(device)
        fake = mixture.sample(_JUDGE_BATCH, seed=derive(seed, f"fakes {step}"))
        loss = objective.critic(critic(real), critic(fake))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
    return np.exp(-_scores(critic.eval(), data, device))


def _unbounded(networks: NetworkFamily) -> NetworkFamily:
    """The family without what bounds a critic's slope or ties its samples together."""
    loose = {"critic_norm": "none", "critic_minibatch": "none"}
    known = {f.name for f in fields(cast("Any", networks))}
    return cast("NetworkFamily", replace(cast("Any", networks), **{k: v for k, v in loose.items() if k in known}))


def _scores(critic: nn.Module, data: Data, device: torch.device) -> npt.NDArray[np.float64]:
    with torch.no_grad():
        scores = [
            critic(data.batch(torch.arange(first, min(first + _JUDGE_BATCH, len(data)))).to(device)).double().cpu()
            for first in range(0, len(data), _JUDGE_BATCH)
        ]
    # Beyond e^50 a sample weighs nothing in either direction, and nothing overflows.
    return torch.cat(scores).clamp(-50, 50).numpy()


class _Redrawn(Data):
    """Data in which sample i stands about n w_i times: systematic resampling, nothing random."""

    def __init__(self, data: Data, weights: npt.NDArray[np.float64], *, name: str) -> None:
        self.name = name
        self.kind = data.kind
        self.shape = data.shape
        self.label_names = data.label_names
        self._data = data
        n = len(data)
        places = (np.arange(n) + 0.5) / n
        drawn = np.searchsorted(np.cumsum(weights), places)
        self._indices = torch.from_numpy(np.minimum(drawn, n - 1))

    @property
    def labels(self) -> Tensor | None:
        """The labels of the samples drawn."""
        labels = self._data.labels
        return None if labels is None else labels[self._indices]

    def __len__(self) -> int:
        return len(self._data)

    def batch(self, indices: Tensor) -> Tensor:
        """Samples at indices among those drawn."""
        return self._data.batch(self._indices[indices])
