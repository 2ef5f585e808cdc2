"""One thread everywhere, or as many as GANCORE_NUM_THREADS says, and sizes that shrink for a smoke run."""

from __future__ import annotations

import os

for variable in ("GANCORE_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, os.environ.get("GANCORE_NUM_THREADS", "1"))

import platform
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import gancore

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def small() -> bool:
    """Whether this is a smoke run, which only shows that the benches work."""
    return bool(os.environ.get("GANCORE_BENCH_SMALL"))


@pytest.fixture(scope="session")
def threads() -> str:
    """How many threads all sides have, in words."""
    count = os.environ["GANCORE_NUM_THREADS"]
    return "one thread" if count == "1" else f"{count} threads"


@pytest.fixture(scope="session")
def in_turns() -> Callable[..., list[tuple[float, ...]]]:
    """What takes the CPU seconds of some functions in turns, so that a busy machine is busy for all of them."""

    def measure(*runs: Callable[[], object], rounds: int) -> list[tuple[float, ...]]:
        for run in runs:
            run()
        return list(zip(*([_cpu_seconds(run) for run in runs] for _ in range(rounds)), strict=True))

    return measure


def _cpu_seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Keep with the numbers what they depend on."""
    machine_info["gancore"] = gancore.build_info()
    machine_info["numpy"] = np.__version__
    machine_info["threads"] = os.environ["OMP_NUM_THREADS"]
    machine_info["system"] = platform.platform()
