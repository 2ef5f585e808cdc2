"""The loop: turns of a game, and what has to happen between them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gancore import _check, systems
from gancore.datasets import as_data
from gancore.errors import ConfigError
from gancore.training import checkpoint as checkpoints
from gancore.training.device import resolve_device, resolve_precision
from gancore.training.folder import RunFolder, RunRecord
from gancore.training.history import History
from gancore.training.interrupt import deferred_interrupt
from gancore.training.order import DataOrder
from gancore.training.progress import report_progress
from gancore.training.randomness import derive, isolated
from gancore.training.run import Run
from gancore.training.state import TrainingState
from gancore.training.tensorboard import tensorboard_writer
from gancore.training.watch import LossWatch, require_finite_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import Tensor

    from gancore.datasets import Data
    from gancore.systems._interface import System

__all__ = ["train"]


def train(
    system: System | str,
    data: object,
    *,
    steps: int,
    out: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    device: str | torch.device = "auto",
    precision: str = "auto",
    compile: bool = False,  # noqa: A002
    ema: float | Literal["system"] | None = "system",
    metrics: Mapping[str, Callable[[Run], float]] | None = None,
    evaluate_every: int = 1000,
    log_every: int = 10,
    checkpoint_every: int = 500,
    keep_checkpoints: int = 2,
    progress: bool = True,
) -> Run:
    """Train a system on data.

    The same seed gives the same run, bit for bit on the CPU with the same number of threads; the global random states
    of Python, NumPy and torch are seeded for the run and given back afterwards. A run that stops at any point and is
    resumed ends in the same bits as one that never stopped. Ctrl-C finishes the step and writes a checkpoint before
    KeyboardInterrupt is raised; a second Ctrl-C does not wait.

    Parameters
    ----------
    system : System or str
        What to train; a name stands for the registered recipe with its default choices.
    data : object
        Anything that :func:`gancore.datasets.as_data` takes.
    steps : int
        Generator steps in all, those of earlier sessions included.
    out : str or Path, optional
        Folder for ``run.json``, ``history.jsonl``, ``checkpoints/`` and, where TensorBoard is installed,
        ``tensorboard/``. Nothing is written if it is not given.
    resume : bool
        Go on from the newest checkpoint in `out`; start from the first step if there is none yet.
    seed : int
        Seed of initial weights, latent codes and the order of the data.
    device : str or torch.device
        ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    precision : {"auto", "float32", "bfloat16"}
        Of the networks' forward passes; ``auto`` is bfloat16 autocast on CUDA, else float32. Weights, losses and
        penalties are float32 always.
    compile : bool
        Compile the networks with torch.compile; penalties run uncompiled.
    ema : float, None or "system"
        Decay of the averaged networks, in place of the system's own; None for no averages.
    metrics : mapping of str to callable, optional
        Functions from the run as it stands to a number, by the name under which it enters the history.
    evaluate_every, log_every, checkpoint_every : int
        Steps between two evaluations of `metrics`, entries in the history, checkpoints. The last step has all three.
    keep_checkpoints : int
        How many of the newest checkpoints to keep.
    progress : bool
        Show progress on stderr: a bar on a terminal, else a line every ten seconds.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError
        If a setting makes no sense, `out` holds a run and `resume` is false, or it holds another run.
    DivergedError
        If a loss or a weight becomes nan or infinite; checkpoints written before are finite.
    DataError
        If the data, or the checkpoints to resume from, cannot be read.
    TrainingError
        If a checkpoint cannot be written.

    Examples
    --------
    >>> import torch
    >>> points = torch.randn(256, 2, generator=torch.Generator().manual_seed(0))
    >>> run = train("gan", points, steps=3, progress=False)
    >>> run.step, sorted(run.history[-1])
    (3, ['critic', 'generator', 'seconds', 'step'])
    """
    for name, value in (("steps", steps), ("evaluate_every", evaluate_every), ("log_every", log_every)):
        _check.integer(name, value, least=1)
    for name, value in (("checkpoint_every", checkpoint_every), ("keep_checkpoints", keep_checkpoints)):
        _check.integer(name, value, least=1)
    _check.integer("seed", seed, least=0)
    if resume and out is None:
        raise ConfigError("resume: needs `out`, the folder of the run to go on with")
    system = systems.get(system)() if isinstance(system, str) else system
    if ema != "system":
        choices = {**system.choices, "ema": ema} if "ema" in system.choices else system.choices
        system = replace(system, ema=ema, choices=choices)
    samples = as_data(data)
    system = system.fitted(samples.shape)
    place = resolve_device(device)
    record = RunRecord(
        system=system.name,
        choices=dict(system.choices),
        recipe=system.recipe(),
        data={"name": samples.name, "kind": samples.kind, "shape": list(samples.shape), "n": len(samples)}
        | ({} if samples.vocabulary is None else {"vocabulary": samples.vocabulary.to_dict()}),
        seed=seed,
        steps=steps,
        device=str(place),
        precision=resolve_precision(precision, place),
    )
    with ExitStack() as stack:
        stack.enter_context(isolated(derive(seed, "training")))
        state = TrainingState.create(
            system, samples.shape, seed=seed, device=place, precision=record.precision, compiled=compile
        )
        folder = None if out is None else RunFolder(Path(out))
        if folder is not None and (found := folder.claim(record, resume=resume)) is not None:
            checkpoints.restore(state, found)
        session = _Session(
            state=state,
            record=record,
            folder=folder,
            history=History(None if folder is None else folder.history, step=state.step),
            watch=LossWatch(),
            metrics=metrics or {},
            write_events=stack.enter_context(
                tensorboard_writer(None if folder is None else folder.tensorboard, step=state.step)
            ),
            keep_checkpoints=keep_checkpoints,
            started=time.monotonic() - state.seconds,
        )
        report = stack.enter_context(
            report_progress(f"{system.name} on {samples.name}", first=state.step, total=steps, shown=progress)
        )
        interrupt = stack.enter_context(deferred_interrupt())
        next_batch = _reader(samples, DataOrder(len(samples), seed), state)
        while state.step < steps:
            losses = system.game.turn(state, next_batch)
            state.step += 1
            for name, average in state.averages.items():
                average.update(state.networks[name], state.step)
            session.watch.add(state.step, losses)
            last = state.step == steps
            evaluating = bool(metrics) and (last or state.step % evaluate_every == 0)
            if last or evaluating or state.step % log_every == 0:
                session.log(evaluate=evaluating)
            if last or interrupt.requested or state.step % checkpoint_every == 0:
                session.checkpoint()
            report(state.step, session.watch.last)
            if interrupt.requested:
                raise KeyboardInterrupt
        return Run.snapshot(state, record, session.history.entries, None if folder is None else folder.path)


@dataclass(kw_only=True)
class _Session:
    """What is recorded between the turns."""

    state: TrainingState
    record: RunRecord
    folder: RunFolder | None
    history: History
    watch: LossWatch
    metrics: Mapping[str, Callable[[Run], float]]
    write_events: Callable[[dict[str, float]], None]
    keep_checkpoints: int
    started: float

    def log(self, *, evaluate: bool) -> None:
        losses = self.watch.look()
        entry = {"step": self.state.step, "seconds": round(time.monotonic() - self.started, 3), **losses}
        if evaluate:
            entry |= self._evaluate()
        self.history.append(entry)
        self.write_events(entry)

    def checkpoint(self) -> None:
        losses = self.watch.look()
        require_finite_weights(self.state, losses)
        if self.folder is not None:
            self.state.seconds = time.monotonic() - self.started
            checkpoints.save(self.state, self.folder.checkpoints, keep=self.keep_checkpoints)

    def _evaluate(self) -> dict[str, float]:
        path = None if self.folder is None else self.folder.path
        run = Run.snapshot(self.state, self.record, self.history.entries, path)
        # Metrics draw from generators of their own, so that asking for them does not change the run.
        with isolated(derive(self.record.seed, f"metrics at {self.state.step}")):
            return {name: float(metric(run)) for name, metric in self.metrics.items()}


def _reader(data: Data, order: DataOrder, state: TrainingState) -> Callable[[], Tensor]:
    """What returns the next batch of real samples, on the device."""

    def next_batch() -> Tensor:
        count = state.system.batch_size
        indices = order.indices(state.drawn, count)
        state.drawn += count
        return data.batch(indices).to(state.device, non_blocking=True)

    return next_batch
