"""Judge a run: samplers x metrics, next to the generator as it was before training."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from gancore import _check, registry, systems
from gancore._versions import versions
from gancore.datasets import as_data
from gancore.errors import BackendError, DomainError, IncompatibleChoiceError, NumericalError, ShapeError
from gancore.evaluation.drawing import budget, draw, needs_data, usual_samplers
from gancore.evaluation.panel import judges_of
from gancore.evaluation.reload import calibration_data, reload_data
from gancore.evaluation.result import Evaluation
from gancore.samplers import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gancore.datasets import Data
    from gancore.evaluation.result import Score
    from gancore.samplers import SamplerInfo
    from gancore.systems import System
    from gancore.training import Run

__all__ = ["evaluate"]

_ENOUGH = 2000
_SHOWN = {"image": 64, "points": 2000, "tokens": 20}


def evaluate(
    run: Run,
    data: object = None,
    *,
    samplers: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    n: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    progress: bool = True,
) -> Evaluation:
    """Judge the samples of a run, drawn by each sampler from the same latent codes.

    The untrained generator is judged too, for comparison. Labelled images are seen through a classifier that is
    trained on them, and kept in the run's folder. Samplers that use the critic are calibrated on the test part of the
    data where there is one, else on the same data.

    Parameters
    ----------
    run : Run
        The run.
    data : object, optional
        Real samples: anything that :func:`gancore.datasets.as_data` takes; those of the run, if not given.
    samplers : sequence of str, optional
        Names of samplers; `plain` and `ddls` if not given, `plain` alone for tokens.
    metrics : sequence of str, optional
        Names of metrics, all that make sense for the data if not given: `fid`, `classes` and `inception_score` for
        labelled images, `fid` for other images, `fid` and `mode_coverage` for points, `bleu` and `self_bleu` for
        tokens, which have their negative log-likelihood `nll_test` too.
    n : int, optional
        How many samples to judge; as many as there are real ones, up to 2000, if not given.
    seed : int
        Seed of the latent codes.
    settings : mapping of str to mapping, optional
        Further settings of samplers, by name: ``{"ddls": {"steps": 500}}``.
    progress : bool
        Show progress bars, if stderr is a terminal.

    Returns
    -------
    Evaluation
        A sampler that cannot work with the critic, say because it knows nothing yet, is listed under `failures`.

    Raises
    ------
    UnknownNameError
        If there is no such sampler or metric.
    ShapeError
        If the data are of another shape than the run's samples.
    DataError
        If data are not given and those of the run cannot be found.
    DomainError
        If n is not at least 2.

    Notes
    -----
    Cost: n samples for each sampler (for ddls n gradients a step), and once about 5 seconds for the classifier.

    Examples
    --------
    >>> import gancore
    >>> run = gancore.train("gan", "ring", steps=2, progress=False)
    >>> found = evaluate(run, samplers=["plain"], n=50, progress=False)
    >>> list(found.scores), sorted(found.scores["plain"])
    (['untrained', 'plain'], ['fid', 'mode_coverage'])
    """
    real = reload_data(run.data_name, shape=run.shape, vocabulary=run.vocabulary) if data is None else as_data(data)
    if real.shape != run.shape:
        raise ShapeError(f"data: the run's samples have shape {run.shape}, those of {real.name} {real.shape}")
    n = min(len(real), _ENOUGH) if n is None else n
    _check.integer("n", n, least=2)
    settings, samplers = settings or {}, usual_samplers(run) if samplers is None else samplers
    for name in (*samplers, *settings):
        registry.get("samplers", name)
    judges = judges_of(real, folder=run.folder, metrics=metrics)
    shown = _SHOWN[run.kind]
    drawn = _draw(run, real, samplers, n, seed=seed, settings=settings, progress=progress)
    return Evaluation(
        run=_facts(run),
        protocol={
            "data": real.name,
            "n_real": len(real),
            "n_fake": n,
            "seed": seed,
            "calibration": drawn.calibration,
            "settings": {name: {**budget(name), **settings.get(name, {})} for name in drawn.infos},
            "versions": versions(),
        },
        scores={
            source: {judge.name: judge.score(x) for judge in judges} | _likelihood(run, real, source)
            for source, x in drawn.samples.items()
        },
        samplers=drawn.infos,
        failures=drawn.failures,
        samples={"real": _some(real, shown, seed)} | {source: x[:shown] for source, x in drawn.samples.items()},
        centers=getattr(real, "centers", None),
        vocabulary=run.vocabulary,
    )


@dataclass(kw_only=True)
class _Drawn:
    """Samples by source, and what their samplers said."""

    samples: dict[str, Tensor]
    infos: dict[str, SamplerInfo] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    calibration: dict[str, Any] | None = None


def _draw(
    run: Run,
    real: Data,
    samplers: Sequence[str],
    n: int,
    *,
    seed: int,
    settings: Mapping[str, Mapping[str, Any]],
    progress: bool,
) -> _Drawn:
    calibrate, held_out = None, False
    drawn = _Drawn(samples={"untrained": _untrained(run, n, seed=seed)})
    if any(map(needs_data, samplers)):
        calibrate, held_out = calibration_data(run, real)
        drawn.calibration = {"data": calibrate.name, "n": len(calibrate), "held_out": held_out}
    for name in dict.fromkeys(samplers):
        own = settings.get(name, {})
        try:
            samples = draw(run, name, n, seed=seed, calibrate=calibrate, progress=progress, settings=own)
        except (DomainError, IncompatibleChoiceError, NumericalError, BackendError) as error:
            # What a critic cannot lead says more about the run than about the call, and the rest can be judged.
            if name == "plain":
                raise
            drawn.failures[name] = str(error)
        else:
            drawn.samples[name], drawn.infos[name] = samples.x.cpu(), samples.info
    return drawn


def _facts(run: Run) -> dict[str, Any]:
    return {
        "system": run.system.name,
        "choices": dict(run.system.choices),
        "changed": _changed(run.system),
        "recipe": run.system.recipe(),
        "data": run.data_name,
        "shape": list(run.shape),
        "seed": run.seed,
        "step": run.step,
        "folder": None if run.folder is None else str(run.folder),
    }


def _untrained(run: Run, n: int, *, seed: int) -> torch.Tensor:
    system = run.system
    drawn = plain(run.untrained_generator(), None, n, latent_dim=system.latent_dim, prior=system.prior, seed=seed)
    return drawn.x.cpu()


def _likelihood(run: Run, real: Data, source: str) -> dict[str, Score]:
    """What the generator behind a source says of held-out sentences, for tokens."""
    if run.kind != "tokens":
        return {}
    from gancore.evaluation.text import held_out_part, likelihood_score

    # Tokens are drawn plainly or not at all, so there are these two sources.
    generator = run.untrained_generator() if source == "untrained" else run.generator
    return {"nll_test": likelihood_score(generator, real, held_out_part(run.data_name, run.vocabulary))}


def _changed(system: System) -> dict[str, object]:
    """The choices that are not the recipe's own."""
    if system.name not in registry.names("systems"):
        return {}
    parameters = inspect.signature(systems.get(system.name)).parameters
    return {key: value for key, value in system.choices.items() if value != parameters[key].default}


def _some(data: Data, n: int, seed: int) -> torch.Tensor:
    """Real samples picked at random."""
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:n]
    return data.batch(rows)
