"""What is recorded of a run between its turns: history, metrics, samples, checkpoints."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from gancore import _check
from gancore.errors import DivergedError, HealthWarning
from gancore.training import checkpoint as checkpoints
from gancore.training.health import ENOUGH, copies, examine
from gancore.training.randomness import derive, isolated
from gancore.training.run import Run
from gancore.training.watch import LossWatch, require_finite_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from gancore.training.best import Best
    from gancore.training.folder import RunFolder, RunRecord
    from gancore.training.health import Finding
    from gancore.training.history import History
    from gancore.training.state import TrainingState

__all__ = ["Intervals", "Session"]

_IMAGES, _POINTS = 64, 1000
"""Samples in a picture."""

_COMPARED = 256
"""Samples that are looked at for copies."""


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Steps between two of a kind: evaluations, entries in the history, checkpoints, pictures (None for none).

    Raises
    ------
    DomainError
        If one is not positive.
    """

    evaluate: int
    log: int
    checkpoint: int
    sample: int | None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None:
                _check.integer(f"{name}_every", value, least=1)


@dataclass(kw_only=True)
class Session:
    """The records of one stretch of training; every process keeps them, and the first one writes.

    Attributes
    ----------
    state, record : TrainingState, RunRecord
        The run.
    folder : RunFolder or None
        Where to write.
    history : History
    watch : LossWatch
    metrics : mapping of str to callable
        Functions from the run as it stands to a number.
    writers : sequence of callable
        Hear of every entry of the history.
    best : Best or None
        By which metric one more checkpoint is kept.
    keep_checkpoints : int
    real : callable
        Returns as many real samples as it is told, the same ones every time.
    started : float
        When the run would have started if it had never stopped, on the monotonic clock.
    """

    state: TrainingState
    record: RunRecord
    folder: RunFolder | None
    history: History
    watch: LossWatch
    metrics: Mapping[str, Callable[[Run], float]]
    writers: Sequence[Callable[[dict[str, float]], object]]
    best: Best | None
    keep_checkpoints: int
    real: Callable[[int], Tensor]
    started: float
    _told: set[str] = field(default_factory=set)

    def end_turn(self, losses: Mapping[str, Tensor]) -> None:
        """Count a turn, let the averages follow, and watch its losses."""
        state = self.state
        state.processes.average_buffers(state.networks.values())
        state.step += 1
        for name, average in state.averages.items():
            average.update(state.networks[name], state.step)
        self.watch.add(state.step, losses)

    def record_turn(self, every: Intervals, *, last: bool, interrupted: bool) -> bool:
        """Record what is due after a turn; whether to stop."""
        step, processes = self.state.step, self.state.processes
        evaluating = bool(self.metrics) and (last or step % every.evaluate == 0)
        logging = last or evaluating or step % every.log == 0
        if logging:
            self.log(evaluate=evaluating)
        if every.sample is not None and (last or step % every.sample == 0):
            self.sample()
        if processes.world > 1:
            # Processes hear of Ctrl-C at different steps; they stop at one that all of them log.
            interrupted = logging and any(processes.gather(interrupted))
        if last or interrupted or step % every.checkpoint == 0:
            self.checkpoint()
        return interrupted

    def log(self, *, evaluate: bool) -> None:
        """Enter the losses of the latest step, and the metrics if asked for, in the history."""
        losses = self.watch.look()
        entry = {"step": self.state.step, "seconds": round(time.monotonic() - self.started, 3), **losses}
        if evaluate:
            entry |= self._evaluate()
        self.history.append(entry)
        if self.state.processes.first:
            for write in self.writers:
                write(entry)
        if self.best is not None and self.folder is not None and self.best.improved(self.history.entries):
            require_finite_weights(self.state, losses)
            checkpoints.write(self.state, self.folder.best)

    def checkpoint(self) -> None:
        """Write the whole state, unless it is not finite."""
        losses = self.watch.look()
        require_finite_weights(self.state, losses)
        self._warn()
        if self.folder is not None:
            self.state.seconds = time.monotonic() - self.started
            checkpoints.save(self.state, self.folder.checkpoints, keep=self.keep_checkpoints)

    def sample(self) -> None:
        """Write a picture of samples; the codes are the same every time."""
        if self.folder is None or not self.state.processes.first:
            return
        from gancore import figures

        run = self.run()
        with isolated(derive(self.record.seed, f"samples at {self.state.step}")):
            x = run.sample(_IMAGES if run.kind == "image" else _POINTS, seed=0).x
        self.folder.samples.mkdir(exist_ok=True)
        path = self.folder.samples / f"step-{self.state.step:08d}.png"
        if run.kind == "image":
            figures.save_grid(x, path)
        else:
            figures.save_png(figures.scatter({"samples": x}), path, background="white")

    @contextmanager
    def noting_divergence(self) -> Iterator[None]:
        """Leave a note in the folder of a loss or a weight that is not finite."""
        try:
            yield
        except DivergedError as error:
            if self.folder is not None and self.state.processes.first:
                self.folder.note_failure(error)
            raise

    def run(self) -> Run:
        """The run as it stands."""
        path = None if self.folder is None else self.folder.path
        return Run.snapshot(self.state, self.record, self.history.entries, path)

    def _evaluate(self) -> dict[str, float]:
        run = self.run()
        # Metrics draw from generators of their own, so that asking for them does not change the run.
        with isolated(derive(self.record.seed, f"metrics at {self.state.step}")):
            scores = {name: float(metric(run)) for name, metric in self.metrics.items()}
        # What follows from a score is decided by the first process's, on all of them.
        return self.state.processes.gather(scores)[0]

    def _copies(self) -> list[Finding]:
        """Whether the generator has collapsed, by what it makes now."""
        state = self.state
        if state.step < ENOUGH or state.system.networks.discrete:
            return []
        # Samples of datasets and generators may draw from the global generators; the run must not notice.
        with isolated(derive(self.record.seed, f"health at {state.step}")):
            real = self.real(_COMPARED)
            fake = self.run().sample(len(real), seed=0).x.to(real.device)
        found = copies(real, fake, state.step)
        return [] if found is None else [found]

    def _warn(self) -> None:
        """Say what is wrong, each illness once."""
        if not self.state.processes.first:
            return
        for finding in (*examine(self.history.entries, self.state.system), *self._copies()):
            if finding.illness not in self._told:
                self._told.add(finding.illness)
                told = f"step {finding.step}: {finding.illness}: {finding.message}; {finding.advice}"
                warnings.warn(told, HealthWarning, stacklevel=2)
