"""Settings that all tests share: one thread a library, Hypothesis profiles, what to skip and why."""

from __future__ import annotations

import os
from pathlib import Path

# Spinning BLAS and OpenMP threads on a busy core cost more than they bring; set before those libraries load.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import hypothesis
import pytest
import torch

torch.set_num_threads(1)

hypothesis.settings.register_profile("fast", max_examples=60, deadline=None)
hypothesis.settings.register_profile("slow", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("GANCORE_HYPOTHESIS", "fast"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out slow tests unless asked for, and GPU tests where there is no GPU."""
    ask = config.getoption("-m")
    for item in items:
        if "slow" in item.keywords and "slow" not in ask:
            item.add_marker(pytest.mark.skip(reason="slow: ask for it with -m slow"))
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets that GANCORE_DATA names."""
    folder = os.environ.get("GANCORE_DATA")
    if not folder:
        pytest.skip("GANCORE_DATA does not name a folder of data sets")
    return Path(folder)
