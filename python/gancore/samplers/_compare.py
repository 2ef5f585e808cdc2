"""Before and after: what samplers make of one generator and critic, with intervals over seeds."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from gancore import _check, registry
from gancore.datasets import as_data
from gancore.errors import BackendError, DomainError, IncompatibleChoiceError, NumericalError
from gancore.priors import TRUNCATION
from gancore.samplers._comparison import Comparison, Found
from gancore.samplers._measures import measures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network, Samples
    from gancore.samplers._measures import Measure

__all__ = ["compare_samplers"]

_SAMPLERS = ("ddls", "rejection", "metropolis_hastings", "optimal_transport")
_REAL, _SHOWN = 5000, 2000


def compare_samplers(
    generator: Network,
    critic: Network,
    real: Any,
    *,
    latent_dim: int,
    samplers: Sequence[str] | Mapping[str, tuple[str, Mapping[str, Any]]] = _SAMPLERS,
    metrics: Sequence[str | Measure] | None = None,
    features: Callable[[Tensor], Tensor] | None = None,
    n: int = 2000,
    seeds: Sequence[int] = (0, 1, 2),
    prior: str = "normal",
    truncation: float = TRUNCATION,
    critic_kind: CriticKind = "logit",
    calibrate: Any = "real",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Comparison:
    """Judge each sampler against plain samples of the same generator, seed by seed.

    Parameters
    ----------
    generator, critic : callable
        Codes (n, latent_dim) to samples; samples to scores (n,) or (n, 1).
    real : anything :func:`~gancore.datasets.as_data` takes
        Real samples to judge against; of more than 5000, as many are drawn.
    latent_dim : int
        Coordinates of a code.
    samplers : sequence of str, or mapping of str to (str, mapping)
        Names of samplers; or rows of the table under names of your own, each a sampler and its settings. Plain
        samples are always the first row.
    metrics : sequence of str or Measure, optional
        Of `fid`, `kid`, `precision`, `recall`, `density`, `coverage`, and for known modes `modes`, `high_quality`,
        `imbalance` and `within_std`; or your own. Those that make sense for the data, if not given.
    features : callable, optional
        Samples (n, ...) to features (n, d) on the CPU, that distances are taken in; the samples' own numbers, if not
        given.
    n : int
        Samples of each sampler and seed.
    seeds : sequence of int
        Intervals are those of the mean over seeds, by Student's t, differences taken seed by seed; a single seed has
        none.
    prior, truncation, critic_kind
        As every sampler takes them.
    calibrate : "real", None, or anything :func:`~gancore.datasets.as_data` takes
        What samplers that use the critic calibrate it on: by default the real samples. Better ones are those that the
        critic was not trained on.
    settings : mapping of str to mapping, optional
        Further settings of samplers, by name.

    Returns
    -------
    Comparison
        Printed, it is the table and what it says; a sampler that cannot follow this critic is listed under
        `failures`.

    Raises
    ------
    UnknownNameError
        If there is no such sampler or metric.
    DomainError, ShapeError
        If a number is out of range, or networks do not fit: what plain samples cannot be drawn for.

    Notes
    -----
    Cost: that of the samplers, for every seed, and of the metrics; with `coverage` O(n x 5000) distances.

    Examples
    --------
    A generator that is too wide, and the critic that knows it:

    >>> import torch
    >>> real = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    >>> found = compare_samplers(
    ...     lambda z: 2 * z,
    ...     lambda x: -0.375 * x.square().sum(dim=1),
    ...     real,
    ...     latent_dim=2,
    ...     n=500,
    ...     samplers=["rejection"],
    ...     metrics=["precision", "fid"],
    ...     calibrate=None,
    ... )
    >>> found.verdicts["rejection"].startswith("quality rose")
    True
    """
    _check.integer("n", n, least=2)
    if not seeds:
        raise DomainError("seeds: expected at least one, got none")
    data = as_data(real)
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:_REAL]
    sample = data.batch(rows)
    measures = measures_of(data, sample, metrics, features=features)
    held_out = data if isinstance(calibrate, str) and calibrate == "real" else calibrate
    plans: dict[str, tuple[str, Mapping[str, Any]]] = {"plain": ("plain", {})}
    if isinstance(samplers, Mapping):
        plans |= samplers
    else:
        plans |= {name: (name, (settings or {}).get(name, {})) for name in samplers if name != "plain"}
    shared = {"latent_dim": latent_dim, "prior": prior, "truncation": truncation, "critic_kind": critic_kind}
    found: dict[str, Found] = {}
    failures: dict[str, str] = {}
    for label, (name, own) in plans.items():
        draw = registry.get("samplers", name)
        chosen = shared | ({"calibrate": held_out} if "calibrate" in inspect.signature(draw).parameters else {})
        try:
            found[label] = _judged(partial(draw, generator, critic, n, **{**chosen, **own}), measures, seeds)
        except (DomainError, IncompatibleChoiceError, NumericalError, BackendError) as error:
            if name == "plain":
                raise
            failures[label] = str(error)
    return Comparison(measures=measures, found=found, failures=failures, n=n, seeds=tuple(seeds), real=sample[:_SHOWN])


def _judged(draw: Callable[..., Samples], measures: Sequence[Measure], seeds: Sequence[int]) -> Found:
    values: dict[str, list[float]] = {measure.name: [] for measure in measures}
    seconds, calls = 0.0, 0
    drawn: list[Samples] = []
    for seed in seeds:
        began = time.perf_counter()
        samples = draw(seed=seed)
        seconds += time.perf_counter() - began
        calls += samples.info.critic_calls
        for measure in measures:
            values[measure.name].append(float(measure.score(samples.x)))
        # The others would only take memory.
        drawn = drawn or [samples]
    (first,) = drawn
    return Found(
        values={name: tuple(scores) for name, scores in values.items()},
        seconds=seconds / len(seeds),
        critic_calls=calls / len(seeds) / len(first.x),
        info=first.info,
        x=first.x[:_SHOWN].detach().cpu(),
    )
