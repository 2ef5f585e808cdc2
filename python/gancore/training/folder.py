"""The folder of a run: what is where in it, what was asked for, and who may write to it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gancore._files import atomic_write, remove_leftovers
from gancore._versions import versions
from gancore.errors import ConfigError, DataError
from gancore.training import checkpoint as checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.errors import DivergedError
    from gancore.training.checkpoint import Checkpoint

__all__ = ["RunFolder", "RunRecord"]

_FORMAT = "gancore run"
_VERSION = 1
_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What was asked for: enough to build the networks again and to recognise the same run.

    Attributes
    ----------
    system, choices : str, dict
        The recipe and its arguments.
    recipe : dict of str to str
        The system in full, as :meth:`System.recipe` says it.
    data : dict
        ``name``, ``kind``, ``shape`` and ``n`` of the data, and ``vocabulary`` of text.
    seed, steps : int
    device, precision : str
        As resolved.
    lr_schedule : str
        As :class:`~gancore.training.schedule.Schedule` takes it.
    versions : dict of str to str
        Of gancore, Python, NumPy and torch.
    """

    system: str
    choices: dict[str, Any]
    recipe: dict[str, str]
    data: dict[str, Any]
    seed: int
    steps: int
    device: str
    precision: Literal["float32", "bfloat16"]
    lr_schedule: str = "constant"
    versions: dict[str, str] = field(default_factory=versions)

    def difference(self, other: RunRecord) -> str:
        """What makes the two records different runs; empty if one can continue the other."""
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in ("system", "seed", "lr_schedule")]
        for name in ("recipe", "data"):
            mine, its = getattr(self, name), getattr(other, name)
            pairs += [(f"{name} {key}", mine.get(key), its.get(key)) for key in mine | its]
        return "; ".join(f"{name}: {_shortly(a)} there, {_shortly(b)} now" for name, a, b in pairs if a != b)


class RunFolder:
    """The files of a run.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.safetensors"
        self.history = path / "history.jsonl"
        self.samples = path / "samples"
        self.failure = path / "failure.json"
        self.tensorboard = path / "tensorboard"
        self._record = path / "run.json"

    def claim(self, record: RunRecord, *, resume: bool) -> Checkpoint | None:
        """Make the folder this run's: check what is there, write ``run.json``, and find where to go on from.

        Returns
        -------
        Checkpoint or None
            The newest checkpoint, None to start from the first step.

        Raises
        ------
        ConfigError
            If there is a run and `resume` is false, or if it is another run.
        DataError
            If there are checkpoints but none can be read, or the record is damaged.
        """
        exists = self._record.exists()
        if not resume and (exists or checkpoints.list_checkpoints(self.checkpoints)):
            raise ConfigError(
                f"out: {self.path} already holds a run; continue it with resume=True (--resume), or give another folder"
            )
        if exists:
            stored = self.read()
            if difference := stored.difference(record):
                raise ConfigError(f"out: {self.path} holds another run ({difference}); give another folder")
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.path, "*.json*")
        remove_leftovers(self.checkpoints, "*.safetensors")
        self.failure.unlink(missing_ok=True)
        found = checkpoints.latest(self.checkpoints)
        if found is not None and found.step > record.steps:
            record = replace(record, steps=found.step)
        content = {"format": _FORMAT, "version": _VERSION, **asdict(record)}
        with atomic_write(self._record) as aside:
            aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return found

    def note_failure(self, error: DivergedError) -> None:
        """Keep what ended the run, for whoever looks later."""
        content = {"step": error.step, "term": error.term, "last_finite": error.last_finite}
        with atomic_write(self.failure) as aside:
            aside.write_text(json.dumps(content) + "\n", encoding="utf-8")

    def read(self) -> RunRecord:
        """What was asked for.

        Raises
        ------
        DataError
            If there is no run here, or its record is damaged or of another version.
        """
        try:
            content = json.loads(self._record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{self.path}: expected the folder of a run, with a file run.json") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{self._record}: cannot be read as JSON ({error})") from error
        if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
            raise DataError(f"{self._record}: not the record of a gancore run")
        version = content.pop("version", None)
        if version != _VERSION:
            raise DataError(f"{self._record}: expected version {_VERSION}, got {version!r}")
        try:
            return RunRecord(**content)
        except TypeError as error:
            raise DataError(f"{self._record}: {error}") from error


def _shortly(value: object) -> str:
    """A value as it is written, or the beginning of what is as long as a vocabulary."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
