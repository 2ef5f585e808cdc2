"""Services that keep experiments hear what the history holds; modules of the same interface stand in for them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from gancore.cli import main
from gancore.errors import DivergedError, MissingExtraError, UnknownNameError
from gancore.training import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


class Service(ModuleType):
    """Records its calls; takes the arguments that both services take, and no others."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[str, Any]] = []

    def init(self, *, project: str, name: str, config: dict[str, Any]) -> None:
        self.calls.append(("init", (project, name, config)))

    def log(self, values: dict[str, float], step: int) -> None:
        self.calls.append(("log", (step, dict(values))))

    def finish(self) -> None:
        self.calls.append(("finish", None))


@pytest.fixture(params=["wandb", "trackio"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    module = Service(request.param)
    monkeypatch.setitem(sys.modules, request.param, module)
    return module


def test_a_service_hears_the_whole_history(service: Service, data: Data, small: Callable[..., System]) -> None:
    run = train(small(), data, steps=3, seed=5, writers=[service.__name__], **QUIET)
    (first, (project, name, config)), *logged, last = service.calls
    assert (first, project, name) == ("init", "gancore", "gan on noisy")
    assert (config["seed"], config["recipe"]) == (5, small().recipe())
    assert [{"step": step, **values} for _, (step, values) in logged] == run.history
    assert last == ("finish", None)


def test_a_run_that_fails_is_finished_too(service: Service, data: Data, small: Callable[..., System]) -> None:
    with pytest.raises(DivergedError):
        train(small("gan", lr=1e30), data, steps=20, writers=[service.__name__], **QUIET)
    assert service.calls[-1] == ("finish", None)


def test_the_command_line_names_a_service(service: Service, tmp_path: Path) -> None:
    words = ["train", "gan", "--data", "ring", "--out", str(tmp_path), "--steps", "1", "--no-metrics", "-q"]
    assert main([*words, "--track", service.__name__]) == 0
    assert [what for what, _ in service.calls] == ["init", "log", "finish"]


def test_a_service_that_is_not_installed_or_known_is_named_before_the_first_step(
    data: Data, small: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    data.asked.clear()
    with pytest.raises(MissingExtraError, match=r"wandb is not installed; .*gancore\[wandb\]"):
        train(small(), data, steps=1, writers=["wandb"], **QUIET)
    with pytest.raises(UnknownNameError, match=r"writers.*'wanbd'"):
        train(small(), data, steps=1, writers=["wanbd"], **QUIET)
    assert not data.asked
