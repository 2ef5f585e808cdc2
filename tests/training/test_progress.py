from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from gancore.training import progress, train

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from gancore.datasets import Data
    from gancore.systems import System


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silent_if_asked(data: Data, small: Callable[..., System], capfd: pytest.CaptureFixture[str]) -> None:
    train(small(), data, steps=2, progress=False, device="cpu")
    assert capfd.readouterr() == ("", "")


def test_a_plain_line_where_nobody_looks(
    data: Data, small: Callable[..., System], capfd: pytest.CaptureFixture[str]
) -> None:
    train(small(), data, steps=3, device="cpu")
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("gan on noisy: step 3/3")
    assert "it/s" in line
    assert "critic" in line
    assert "generator" in line


def test_lines_come_every_ten_seconds(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with progress.report_progress("job", first=10, total=20, shown=True) as report:
        for step in range(11, 21):
            report(step, {"critic": 1.0})
    lines = capfd.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["13/20", "16/20", "19/20", "20/20"]
    assert "0.2 it/s  0:00:28 left" in lines[0], "three steps in twelve seconds, seven to go"


def test_a_bar_on_a_terminal(data: Data, small: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    train(small(), data, steps=3, device="cpu")
    shown = terminal.getvalue()
    assert "gan on noisy" in shown
    assert "3/3" in shown
    assert "critic" in shown
