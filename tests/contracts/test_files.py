from __future__ import annotations

import os
from pathlib import Path

import pytest

from gancore._files import atomic_write, remove_leftovers


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


def test_the_content_is_on_disk_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "state"
    target.write_bytes(b"old")
    events: list[tuple[str, bytes]] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        events.append(("sync", target.read_bytes()))

    def replace(source: Path, destination: Path) -> Path:
        events.append(("rename", target.read_bytes()))
        return rename(source, destination)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with atomic_write(target) as aside:
        aside.write_bytes(b"new")
    assert events == [("sync", b"old"), ("rename", b"old"), ("sync", b"new")]


def test_leftovers_of_a_killed_writer_go_and_everything_else_stays(tmp_path: Path) -> None:
    kept = {".hidden", "step-1.bin", "step-1.part.bin", ".other.5f.part.bin", ".step-1.5f.part.json"}
    for name in kept | {".step-1.5f.part.bin"}:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, "step-*.bin")
    assert {path.name for path in tmp_path.iterdir()} == kept
