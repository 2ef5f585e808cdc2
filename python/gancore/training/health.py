"""Illnesses of a run, told in plain words from its history: what one would see in the curves if one looked."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gancore.systems._interface import System

__all__ = ["ENOUGH", "Finding", "copies", "examine"]

_LATEST = 20
"""Entries that are looked at: a batch's loss is noise, twenty in a row are not."""

ENOUGH = 200
"""Steps before anything is said: every game is one-sided at first."""

_SATURATED = 0.01
"""Of a critic's loss at chance: a hundredth is an error on fewer than one sample in a hundred, which leaves a generator
next to no slope."""

_UNCHANGED = 1e-6
"""Relative spread of losses on different batches that only a network without gradients shows: float32 resolves 1e-7."""

_EXPLODED = 1e6
"""Losses of networks that train are of the order of one to a thousand; beyond a million float32 loses what is added."""

_WORSE = 2.0
"""A score of few samples wavers by some per cent; twice the best is a run that has lost something."""

_NEAR = 0.05
"""Fakes whose nearest neighbours are twenty times nearer than those among as many real samples are copies."""

_NARROW = 0.1
"""Fakes that lie ten times closer together than real samples show one place of the data."""

_LOWER, _HIGHER = ("fid", "kid"), ("modes", "coverage", "recall", "density", "precision", "inception_score")
"""Scores by which direction is better."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run.

    Attributes
    ----------
    illness : str
        A short name, the same for the same illness.
    severity : {"error", "warning"}
        An error ends the use of the run; a warning may pass.
    step : int
        Where it was seen.
    message : str
        What is wrong, and by which numbers.
    advice : str
        What helps most often.
    """

    illness: str
    severity: Literal["error", "warning"]
    step: int
    message: str
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


def examine(history: Sequence[dict[str, float]], system: System | None = None) -> list[Finding]:
    """What the history of a run says of its health; nothing if all is well or it is too early to tell.

    Parameters
    ----------
    history : sequence of dict
        Entries with ``step``, losses and metrics, in order.
    system : System, optional
        What was trained: tells what a critic's loss means.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> entries = [{"step": 20 * k, "critic": 0.7, "generator": 0.7 + 0.01 * k} for k in range(1, 30)]
    >>> [finding.illness for finding in examine(entries)]
    ['critic dead']
    """
    losses = [entry for entry in history if "critic" in entry and "generator" in entry]
    found = list(_worse(history))
    if len(losses) < _LATEST or losses[-1]["step"] < ENOUGH:
        return found
    latest = losses[-_LATEST:]
    return [*_exploded(latest), *_still(latest), *_saturated(latest, system), *found]


def copies(real: Tensor, fake: Tensor, step: int) -> Finding | None:
    """Whether fakes are copies of each other, by the measure of as many real samples.

    Parameters
    ----------
    real, fake : Tensor of shape (n, ...)
        Samples; distances are Euclidean.
    step : int
        When the fakes were drawn.

    Returns
    -------
    Finding or None
        A collapse, or nothing.

    Examples
    --------
    >>> import torch
    >>> real = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    >>> copies(real, real + 1.0, step=500) is None
    True
    >>> copies(real, torch.ones(50, 2), step=500).illness
    'collapse'
    """
    (near, apart), (real_near, real_apart) = _distances(fake), _distances(real)
    if not (math.isfinite(apart) and (near < _NEAR * real_near or apart < _NARROW * real_apart)):
        return None
    return Finding(
        "collapse",
        "error",
        step,
        f"of {len(fake)} samples the nearest neighbours are {near:.3g} apart and all of them {apart:.3g}, among as "
        f"many real samples {real_near:.3g} and {real_apart:.3g}: the generator makes copies",
        "go back to an earlier or the best checkpoint; lower learning rates, more critic steps or a penalty help",
    )


def _distances(samples: Tensor) -> tuple[float, float]:
    """Median distance to the nearest other sample, and between all."""
    import torch

    x = samples.flatten(1).double()
    between = torch.cdist(x, x)
    nearest = between.clone().fill_diagonal_(math.inf).amin(1)
    upper = torch.triu_indices(len(x), len(x), offset=1)
    return nearest.median().item(), between[upper[0], upper[1]].median().item()


def _exploded(latest: Sequence[dict[str, float]]) -> list[Finding]:
    step, told = int(latest[-1]["step"]), []
    for name in _loss_names(latest):
        size = statistics.median(abs(entry[name]) for entry in latest)
        if size > _EXPLODED:
            told.append(
                Finding(
                    "losses exploding",
                    "warning",
                    step,
                    f"{name} is around {size:.3g}: the players push each other without bound",
                    "lower the learning rates, or hold the critic by a penalty or spectral normalisation",
                )
            )
    return told[:1]


def _still(latest: Sequence[dict[str, float]]) -> list[Finding]:
    step, told = int(latest[-1]["step"]), []
    advice = {
        "critic": "look for a dead critic: a learning rate far too high kills its units, one far too low leaves them",
        "generator": "the critic gives it no slope: try another objective, or a penalty on the critic",
    }
    for name in ("critic", "generator"):
        values = [entry[name] for entry in latest]
        if max(values) - min(values) <= _UNCHANGED * max(map(abs, values)):
            told.append(
                Finding(
                    "critic dead" if name == "critic" else "generator stalled",
                    "warning",
                    step,
                    f"the {name}'s loss has been {values[-1]:.6g} to the last digit over {_LATEST} entries, on "
                    "different batches",
                    advice[name],
                )
            )
    return told


def _saturated(latest: Sequence[dict[str, float]], system: System | None) -> list[Finding]:
    chance = None if system is None else _chance(system)
    loss = statistics.median(entry["critic"] for entry in latest)
    if chance is None or not 0 <= loss < _SATURATED * chance:
        return []
    return [
        Finding(
            "critic saturated",
            "warning",
            int(latest[-1]["step"]),
            f"the critic's loss is {loss:.2g}, of {chance:.3g} at chance: it tells every fake, and the generator "
            "learns little from it",
            "weaken the critic (lower learning rate, fewer critic steps), or add a penalty such as R1",
        )
    ]


def _chance(system: System) -> float | None:
    """The critic's loss where it cannot tell anything, for objectives whose loss is zero where it tells everything."""
    import torch

    if system.objective.outputs > 1 or system.objective.critic_kind == "features":
        return None
    nothing = torch.zeros(8)
    # Logits and margins are told apart far out, least squares at the labels one and zero.
    told = ((nothing + 1e4, nothing - 1e4), (nothing + 1, nothing))
    chance = system.objective.critic(nothing, nothing).item()
    best = min(abs(system.objective.critic(real, fake).item()) for real, fake in told)
    return chance if chance > 0 and best <= 1e-6 * chance else None


def _worse(history: Sequence[dict[str, float]]) -> list[Finding]:
    """Scores that were better once, at the last two evaluations."""
    told = []
    for name in (*_LOWER, *_HIGHER):
        scores = [(int(entry["step"]), entry[name]) for entry in history if name in entry]
        if len(scores) < 4:
            continue
        at, best = (min if name in _LOWER else max)(scores, key=lambda score: score[1])
        lost = all(value > _WORSE * best if name in _LOWER else value < best / _WORSE for _, value in scores[-2:])
        if best > 0 and lost:
            told.append(
                Finding(
                    "samples getting worse" if name in _LOWER else "collapse",
                    "warning",
                    scores[-1][0],
                    f"{name} was {best:.4g} at step {at} and is {scores[-1][1]:.4g}: the generator has lost part of "
                    "what it could",
                    f"use the best checkpoint (--best {name} keeps it), or train with lower learning rates",
                )
            )
    return told


def _loss_names(latest: Sequence[dict[str, float]]) -> list[str]:
    plain = {"step", "seconds", *_LOWER, *_HIGHER}
    return [name for name in latest[-1] if name not in plain and all(name in entry for entry in latest)]
