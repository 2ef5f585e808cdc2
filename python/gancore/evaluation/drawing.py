"""Samples of a run by the name of a sampler, with the settings that an evaluation should use."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from gancore import registry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gancore.datasets import Data
    from gancore.samplers import Samples
    from gancore.training import Run

__all__ = ["budget", "draw", "needs_data", "usual_samplers"]


_BUDGETS: dict[str, dict[str, Any]] = {"ddls": {"steps": 20}, "metropolis_hastings": {"steps": 200}}
"""Lengths of chains unless set; other samplers keep their own, which are their papers'.

Of ddls: on digits the FID of three seeds falls by 0.15 to 0.22 in 20 steps and no further; in a hundred it rises again,
for a critic that is a little wrong about the classes moves whole chains between them. Of metropolis_hastings: 200
proposals in place of the paper's 640, whose forward passes cost about three times those of 20 ddls steps with their
backward ones; a chain is as far from its target as (1 - 1/M)^200, M the largest density ratio."""


def usual_samplers(run: Run) -> list[str]:
    """The samplers that a run is judged by unless others are named: no critic leads the choice of tokens."""
    return ["plain"] if run.kind == "tokens" else ["plain", "ddls"]


def budget(sampler: str) -> dict[str, Any]:
    """The settings that an evaluation gives a sampler in place of its own.

    Examples
    --------
    >>> budget("ddls"), budget("optimal_transport")
    ({'steps': 20}, {})
    """
    return dict(_BUDGETS.get(sampler.replace("-", "_"), {}))


def needs_data(sampler: str) -> bool:
    """Whether a sampler can be calibrated on real data.

    Examples
    --------
    >>> needs_data("plain"), needs_data("ddls")
    (False, True)
    """
    return "calibrate" in _parameters(sampler)


def draw(
    run: Run, sampler: str, n: int, *, seed: int, calibrate: Data | None, progress: bool, settings: Mapping[str, Any]
) -> Samples:
    """Sample a run; a sampler that trusts the critic is calibrated on real data unless told otherwise.

    A critic's slope is rarely one and a Wasserstein critic's is arbitrary, so that an uncalibrated chain may walk
    away from the data: what is best left to a choice elsewhere is a default here.
    """
    own = budget(sampler)
    if needs_data(sampler):
        own["calibrate"] = calibrate
    return run.sample(n, seed=seed, sampler=sampler, progress=progress, **{**own, **settings})


def _parameters(sampler: str) -> Collection[str]:
    return inspect.signature(registry.get("samplers", sampler)).parameters
