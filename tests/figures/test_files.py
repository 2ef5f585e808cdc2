from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gancore._files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    target.write_text("old")
    with atomic_write(target) as aside:
        aside.write_text("ne")
        assert target.read_text() == "old"
        assert aside.parent == target.parent, "a rename between file systems is a copy"
        assert aside.suffix == ".json"
        aside.write_text("new")
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_a_failed_write_leaves_what_was_there_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    target.write_text("old")

    def write() -> None:
        with atomic_write(target) as aside:
            aside.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "empty"):
        pass
    assert not list(tmp_path.iterdir())


def test_two_writers_do_not_share_a_file(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a") as one, atomic_write(tmp_path / "a") as two:
        assert one != two
        one.write_text("1")
        two.write_text("2")
    assert (tmp_path / "a").read_text() == "1", "the outer block ends last"
