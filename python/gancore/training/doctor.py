"""A look at the folder of a run: its files, its history, its weights and its samples."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gancore._versions import versions
from gancore.errors import ConfigError, DataError, GancoreError
from gancore.training.checkpoint import list_checkpoints, load
from gancore.training.folder import RunFolder
from gancore.training.health import ENOUGH, Finding, copies, examine
from gancore.training.history import read_history
from gancore.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gancore.training.checkpoint import Checkpoint
    from gancore.training.folder import RunRecord

__all__ = ["diagnose"]

_ROOM = 3
"""Checkpoints that should fit on the disk: the one being written stands beside those that are kept."""

_UNMOVED = 1e-7
"""Relative change of weights between two checkpoints below which float32 shows none at all."""

_SAMPLES = 256


def diagnose(path: str | Path) -> list[Finding]:
    """What is wrong with a run, by what its folder holds; nothing if all is well.

    Parameters
    ----------
    path : str or Path
        The folder that was given to training as ``out``.

    Returns
    -------
    list of Finding
        Errors first.

    Raises
    ------
    DataError
        If it is no folder of a run.

    Examples
    --------
    >>> import tempfile, gancore
    >>> out = tempfile.mkdtemp()
    >>> _ = gancore.train("gan", gancore.datasets.load("ring"), steps=5, out=out, progress=False)
    >>> diagnose(out)
    []
    """
    folder = RunFolder(Path(path))
    record = folder.read()
    found = [*_failure(folder), *_versions(record), *_disk(folder)]
    looked_at = [_opened(file) for file in list_checkpoints(folder.checkpoints)]
    readable = [file for file in looked_at if not isinstance(file, Finding)]
    found += [file for file in looked_at if isinstance(file, Finding)]
    if not readable:
        advice = "train with --resume"
        found.append(_finding("no checkpoint", "error", 0, f"{folder.checkpoints}: none that can be read", advice))
    found += [*_weights(readable), *_history(folder, record), *_samples(folder, record, readable)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def _finding(illness: str, severity: str, step: int, message: str, advice: str) -> Finding:
    return Finding(illness, "error" if severity == "error" else "warning", step, message, advice)


def _opened(file: Path) -> Checkpoint | Finding:
    """What a checkpoint holds, or why it holds nothing."""
    try:
        return load(file)
    except DataError as error:
        advice = "resume: it goes back to the last one that is whole"
        return _finding("incomplete checkpoint", "error", 0, str(error), advice)


def _failure(folder: RunFolder) -> Iterator[Finding]:
    """What ended the run, if it left a note."""
    if not folder.failure.exists():
        return
    try:
        note = json.loads(folder.failure.read_text(encoding="utf-8"))
        step, term, last = int(note["step"]), str(note["term"]), dict(note["last_finite"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder.failure}: cannot be read ({error})") from error
    seen = ", ".join(f"{name}={value:.6g}" for name, value in last.items()) or "none"
    yield _finding(
        "nan",
        "error",
        step,
        f"{term} became nan or infinite at step {step}; last finite losses: {seen}",
        "lower the learning rates or hold the critic by a penalty; checkpoints written before are finite",
    )


def _versions(record: RunRecord) -> Iterator[Finding]:
    now = versions()
    other = [
        f"{name} {then} then, {now[name]} now" for name, then in record.versions.items() if now.get(name, then) != then
    ]
    if other:
        yield _finding(
            "versions differ",
            "warning",
            0,
            "; ".join(other),
            "resuming works where checkpoints can be read, but not to the same bits",
        )


def _disk(folder: RunFolder) -> Iterator[Finding]:
    """Writes that were cut off, and no room for the next ones."""
    files = list_checkpoints(folder.checkpoints)
    for aside in folder.checkpoints.glob(".*.part.safetensors"):
        yield _finding("unfinished write", "warning", 0, f"{aside}: a write was cut off", "resuming removes it")
    free = shutil.disk_usage(folder.path).free
    if files and free < _ROOM * (size := max(file.stat().st_size for file in files)):
        yield _finding(
            "disk full",
            "error",
            0,
            f"{free / 2**20:.0f} MiB are free, and a checkpoint takes {size / 2**20:.1f} MiB",
            "make room before resuming",
        )


def _weights(checkpoints: list[Checkpoint]) -> Iterator[Finding]:
    """Weights that are not finite, or that do not move from one checkpoint to the next."""
    for checkpoint in checkpoints[:1]:
        for name, tensor in checkpoint.under("network/").items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                yield _finding(
                    "nan", "error", checkpoint.step, f"{name}: not finite in {checkpoint.path.name}", "use an older one"
                )
                return
    if len(checkpoints) < 2:
        return
    new, old = checkpoints[:2]
    for player, illness in (("critic", "critic dead"), ("generator", "generator stalled")):
        one, two = (_flat(checkpoint.under(f"network/{player}/")) for checkpoint in (new, old))
        if one.shape == two.shape and (one - two).norm() <= _UNMOVED * two.norm():
            yield _finding(
                illness,
                "warning",
                new.step,
                f"the {player}'s weights have not moved between steps {old.step} and {new.step}",
                "its learning rate may be zero, or no gradient reaches it",
            )


def _flat(tensors: dict[str, Tensor]) -> Tensor:
    return torch.cat([tensor.double().flatten() for tensor in tensors.values()])


def _history(folder: RunFolder, record: RunRecord) -> list[Finding]:
    from gancore import systems

    try:
        entries = read_history(folder.history)
    except DataError as error:
        return [_finding("damaged history", "warning", 0, str(error), "remove the line that is named")]
    known = record.system in systems.names()
    try:
        system = systems.get(record.system)(**record.choices) if known else None
    except ConfigError:
        system = None
    return examine(entries, system)


def _samples(folder: RunFolder, record: RunRecord, checkpoints: list[Checkpoint]) -> Iterator[Finding]:
    """Samples that are copies of each other, by the measure of as many real samples."""
    from gancore.evaluation.reload import reload_data

    if not checkpoints or checkpoints[0].step < ENOUGH:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = Run.load(folder.path, device="cpu")
            data = reload_data(record.data["name"], shape=run.shape)
    except (GancoreError, OSError):
        # Data that were arrays in memory, or a system put together by hand: nothing to compare.
        return
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:_SAMPLES]
    found = copies(data.batch(rows), run.sample(len(rows), seed=0).x, run.step)
    if found is not None:
        yield found
