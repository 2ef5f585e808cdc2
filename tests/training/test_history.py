from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gancore.errors import DataError
from gancore.training.history import History, read_history

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_on_disk_at_once(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl", step=0)
    for step in (1, 2):
        history.append({"step": step, "critic": 0.5})
        assert read_history(tmp_path / "history.jsonl") == history.entries
    assert (tmp_path / "history.jsonl").read_text().splitlines()[0] == '{"step": 1, "critic": 0.5}'


def test_lines_beyond_the_checkpoint_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"step": 4, "cri')
    history = History(path, step=2)
    history.append({"step": 3, "critic": 1.0})
    assert read_history(path) == history.entries == [{"step": 1}, {"step": 2}, {"step": 3, "critic": 1.0}]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 1}\n{"step": \n{"step": 3}\n')
    with pytest.raises(DataError, match=r"history\.jsonl: line 2"):
        read_history(path)


def test_without_a_file_there_is_only_memory() -> None:
    history = History(None, step=0)
    history.append({"step": 1})
    assert history.entries == [{"step": 1}]
