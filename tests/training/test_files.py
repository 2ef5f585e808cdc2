from __future__ import annotations

import os
from pathlib import Path

import pytest

from gancore.training.files import remove_leftovers, write_atomically


def test_the_target_is_old_until_the_new_content_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synced aside first, renamed then, and the folder's entry synced last."""
    target = tmp_path / "state"
    target.write_bytes(b"old")
    events: list[tuple[str, bytes]] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        events.append(("sync", target.read_bytes()))

    def replace(source: Path, destination: Path) -> Path:
        assert source.read_bytes() == b"new"
        events.append(("rename", target.read_bytes()))
        return rename(source, destination)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_atomically(target, b"new")
    assert events == [("sync", b"old"), ("rename", b"old"), ("sync", b"new")]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "state"
    target.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_leftovers_go_and_everything_else_stays(tmp_path: Path) -> None:
    for name in (".step-1.safetensors.part", "step-1.safetensors", "notes.part", ".hidden"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "notes.part", "step-1.safetensors"]
