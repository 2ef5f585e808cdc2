"""Metrics of a run while it trains: cheap enough to compute a few times, for a curve."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch

from gancore.evaluation.panel import frechet_judge
from gancore.text.likelihood import nll

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.evaluation.judges import FrechetJudge
    from gancore.training import Run

__all__ = ["track"]

_SAMPLES = 1000


def track(data: Data, folder: Path | None) -> dict[str, Callable[[Run], float]]:
    """Functions that score a run as it stands, for the `metrics` of :func:`gancore.train`.

    Parameters
    ----------
    data : Data
        The real samples.
    folder : Path or None
        Folder of the run, where a classifier is kept once it exists; trained when first needed.

    Returns
    -------
    dict of str to callable
        ``fid``, of 1000 samples; for text with a test part, ``nll_test`` of that, and nothing for other tokens.

    Examples
    --------
    >>> import gancore
    >>> ring = gancore.datasets.load("ring")
    >>> run = gancore.train("gan", ring, steps=2, metrics=track(ring, None), evaluate_every=1, progress=False)
    >>> [entry["step"] for entry in run.history if "fid" in entry]
    [1, 2]
    """
    if data.kind == "tokens":
        return _likelihood(data)

    @cache
    def judge() -> FrechetJudge:
        return frechet_judge(data, folder=folder)

    def fid(run: Run) -> float:
        return judge().value(run.sample(_SAMPLES, seed=0).x.cpu())

    return {"fid": fid}


def _likelihood(data: Data) -> dict[str, Callable[[Run], float]]:
    from gancore.evaluation.text import held_out_part

    held_out = held_out_part(data.name, data.vocabulary)
    if held_out is None:
        return {}
    tokens = held_out.batch(torch.arange(len(held_out)))
    return {"nll_test": lambda run: nll(run.generator, tokens.to(run.device))}
