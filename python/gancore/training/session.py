"""What is recorded of a run between its turns: history, metrics, samples, checkpoints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gancore.training import checkpoint as checkpoints
from gancore.training.randomness import derive, isolated
from gancore.training.run import Run
from gancore.training.watch import LossWatch, require_finite_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gancore.training.folder import RunFolder, RunRecord
    from gancore.training.history import History
    from gancore.training.state import TrainingState

__all__ = ["Session"]


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
    keep_checkpoints : int
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
    keep_checkpoints: int
    started: float

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

    def checkpoint(self) -> None:
        """Write the whole state, unless it is not finite."""
        losses = self.watch.look()
        require_finite_weights(self.state, losses)
        if self.folder is not None:
            self.state.seconds = time.monotonic() - self.started
            checkpoints.save(self.state, self.folder.checkpoints, keep=self.keep_checkpoints)

    def run(self) -> Run:
        """The run as it stands."""
        path = None if self.folder is None else self.folder.path
        return Run.snapshot(self.state, self.record, self.history.entries, path)

    def _evaluate(self) -> dict[str, float]:
        run = self.run()
        # Metrics draw from generators of their own, so that asking for them does not change the run.
        with isolated(derive(self.record.seed, f"metrics at {self.state.step}")):
            return {name: float(metric(run)) for name, metric in self.metrics.items()}
