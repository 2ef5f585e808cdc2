from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from gancore.training import train
from gancore.training.tensorboard import tensorboard_writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


def test_events_are_the_history(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(small(), data, steps=2, out=tmp_path, **QUIET)
    run = train(small(), data, steps=4, out=tmp_path, resume=True, **QUIET)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name in ("critic", "generator", "seconds"):
        shown = {event.step: event.value for event in events.Scalars(name)}
        assert shown == pytest.approx({int(entry["step"]): entry[name] for entry in run.history})


def test_quiet_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with tensorboard_writer(tmp_path / "tensorboard", step=0) as write:
        write({"step": 1, "critic": 0.5})
    assert not (tmp_path / "tensorboard").exists()


def test_nothing_without_a_folder() -> None:
    with tensorboard_writer(None, step=0) as write:
        write({"step": 1, "critic": 0.5})
