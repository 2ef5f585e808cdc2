"""The loop: turns of a game, and what has to happen between them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from gancore import _check, systems
from gancore.datasets import as_data
from gancore.errors import ConfigError
from gancore.training import checkpoint as checkpoints
from gancore.training.best import Best
from gancore.training.device import resolve_device, resolve_precision
from gancore.training.draws import drawn_together
from gancore.training.folder import RunFolder, RunRecord
from gancore.training.history import History
from gancore.training.interrupt import deferred_interrupt
from gancore.training.launch import join, own_device
from gancore.training.order import DataOrder
from gancore.training.progress import report_progress
from gancore.training.randomness import derive, isolated
from gancore.training.schedule import Schedule
from gancore.training.session import Intervals, Session
from gancore.training.state import TrainingState
from gancore.training.tensorboard import tensorboard_writer
from gancore.training.trackers import writer_of
from gancore.training.watch import LossWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from gancore.datasets import Data
    from gancore.systems._interface import System
    from gancore.training.run import Run

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
    compile: bool | str = False,  # noqa: A002
    ema: float | Literal["system"] | None = "system",
    metrics: Mapping[str, Callable[[Run], float]] | None = None,
    evaluate_every: int = 1000,
    log_every: int = 10,
    checkpoint_every: int = 500,
    keep_checkpoints: int = 2,
    progress: bool = True,
    best: str | None = None,
    sample_every: int | None = None,
    lr_schedule: str = "constant",
    writers: Sequence[str | Callable[[dict[str, float]], object]] = (),
    backward: Callable[[Tensor], object] | None = None,
    timeout: float = 600.0,
) -> Run:
    """Train a system on data.

    The same seed gives the same run, bit for bit on the CPU with the same number of threads; the global random states
    of Python, NumPy and torch are seeded for the run and given back afterwards. A run that stops at any point and is
    resumed ends in the same bits as one that never stopped. Ctrl-C finishes the step and writes a checkpoint before
    KeyboardInterrupt is raised; a second Ctrl-C does not wait.

    Processes that torchrun started, or those of an initialised torch.distributed, train one run: each has its share of
    every batch, and together they take the steps that one process would take, except that batch normalisation sees a
    share. The first one writes. `metrics` are called on all of them.

    Parameters
    ----------
    system : System or str
        What to train; a name stands for the registered recipe with its default choices.
    data : object
        Anything that :func:`gancore.datasets.as_data` takes. Batches are always full: where the data end within one,
        they begin anew, so that data smaller than a batch are repeated in it, evenly.
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
    compile : bool or str
        Compile the networks, and the critic's step with its penalties, with torch.compile; a name is that of a backend
        of torch.compile, which by default needs a C++ compiler on the CPU.
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
    best : str, optional
        One of `metrics`, ``min:NAME`` or ``max:NAME`` (a bare name means less is better): the checkpoint with the best
        score is kept besides the newest ones, for ``Run.load(out, checkpoint="best")``.
    sample_every : int, optional
        Steps between two pictures of samples from the same codes, in ``samples/``.
    lr_schedule : str
        ``constant``, ``linear:A-B`` or ``cosine:A-B``: learning rates fall from whole to nothing from step A to B.
    writers : sequence of callable or str, optional
        Called with every entry of the history, ``step`` among its keys, once it is complete. ``wandb`` and ``trackio``
        stand for what sends entries to these services.
    backward : callable, optional
        Computes gradients in place of ``loss.backward()``, such as ``fabric.backward`` or ``accelerator.backward``.
    timeout : float
        Seconds that processes wait for each other, where there are several.

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
        If a checkpoint cannot be written, or another process of the run is lost.

    Examples
    --------
    >>> import torch
    >>> points = torch.randn(256, 2, generator=torch.Generator().manual_seed(0))
    >>> run = train("gan", points, steps=3, progress=False)
    >>> run.step, sorted(run.history[-1])
    (3, ['critic', 'generator', 'seconds', 'step'])
    """
    every = Intervals(evaluate=evaluate_every, log=log_every, checkpoint=checkpoint_every, sample=sample_every)
    for name, value in {"steps": steps, "keep_checkpoints": keep_checkpoints}.items():
        _check.integer(name, value, least=1)
    _check.integer("seed", seed, least=0)
    if resume and out is None:
        raise ConfigError("resume: needs `out`, the folder of the run to go on with")
    schedule = Schedule(lr_schedule)
    wanted = None if best is None else Best.parse(best, (metrics or {}).keys())
    samples = as_data(data)
    system = _asked_for(system, ema).fitted(samples.shape)
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
        lr_schedule=lr_schedule,
    )
    place = own_device(place)
    processes = join(place, timeout=timeout)
    share = processes.share(system.batch_size)
    with ExitStack() as stack:
        stack.enter_context(isolated(derive(seed, "training" if processes.first else f"training on {processes.rank}")))
        state = TrainingState.create(
            system,
            samples.shape,
            seed=seed,
            device=place,
            precision=record.precision,
            compiled=compile,
            processes=processes,
            backward=backward,
        )
        folder = None if out is None else RunFolder(Path(out))
        if folder is not None:
            claim = partial(folder.claim, record, resume=resume)
            if (found := processes.from_first(claim)) is not None:
                checkpoints.restore(state, found)
        written = folder if processes.first else None
        history = History(None if written is None else written.history, step=state.step)
        history.entries = processes.from_first(lambda: history.entries)
        events = None if written is None else written.tensorboard
        session = Session(
            state=state,
            record=record,
            folder=folder,
            history=history,
            watch=LossWatch(),
            metrics=metrics or {},
            writers=[
                stack.enter_context(tensorboard_writer(events, step=state.step)),
                *(stack.enter_context(writer_of(each, record, shown=processes.first)) for each in writers),
            ],
            best=wanted,
            keep_checkpoints=keep_checkpoints,
            real=lambda count: samples.batch(torch.arange(len(samples))[:: max(len(samples) // count, 1)][:count]),
            started=time.monotonic() - state.seconds,
        )
        shown = progress and processes.first
        report = stack.enter_context(
            report_progress(f"{system.name} on {samples.name}", first=state.step, total=steps, shown=shown)
        )
        stack.enter_context(session.noting_divergence())
        interrupt = stack.enter_context(deferred_interrupt())
        next_batch = _reader(samples, DataOrder(len(samples), seed), state)
        together = drawn_together(processes, state.random, share)
        while state.step < steps:
            schedule.apply(state)
            with together:
                losses = system.game.turn(state, next_batch)
            session.end_turn(losses)
            stopping = session.record_turn(every, last=state.step == steps, interrupted=interrupt.requested)
            report(state.step, session.watch.last)
            if stopping:
                raise KeyboardInterrupt
        return session.run()


def _asked_for(system: System | str, ema: float | Literal["system"] | None) -> System:
    """The system that a name stands for, with the averages that the call asks for."""
    system = systems.get(system)() if isinstance(system, str) else system
    if ema == "system":
        return system
    choices = {**system.choices, "ema": ema} if "ema" in system.choices else system.choices
    return replace(system, ema=ema, choices=choices)


def _reader(data: Data, order: DataOrder, state: TrainingState) -> Callable[[], Tensor]:
    """What returns the next batch of real samples, on the device."""
    channels_last = state.system.networks.channels_last and len(data.shape) == 3

    def next_batch() -> Tensor:
        count = state.system.batch_size
        indices = order.indices(state.drawn, count)
        state.drawn += count
        real = data.batch(state.processes.own(indices)).to(state.device, non_blocking=True)
        return real.contiguous(memory_format=torch.channels_last) if channels_last else real

    return next_batch
