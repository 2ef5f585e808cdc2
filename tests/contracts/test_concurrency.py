"""Kernels in forked children, in many threads, and under Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import gancore
from gancore.kernels import divergence, frechet, moments

LARGE = np.linspace(1.0, 2.0, 200 * 1000).reshape(200, 1000)


def all_kernels() -> list[np.ndarray | float]:
    """Work that is large enough to be carried to the pool, for a kernel of each kind."""
    statistics = moments.FeatureMoments(100)
    statistics.update(LARGE[:, :100] + np.eye(200, 100))
    return [
        divergence.jensen_shannon(LARGE, LARGE[::-1], normalize=True),
        statistics.covariance,
        frechet.trace_sqrt_product(statistics.covariance, np.eye(100)),
    ]


def same(left: list[np.ndarray | float], right: list[np.ndarray | float]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.fixture
def two_threads():  # type: ignore[no-untyped-def]
    before = gancore.num_threads()
    gancore.set_num_threads(2)
    yield
    gancore.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes_after_its_parent_did(two_threads: None) -> None:
    expected = all_kernels()
    child = os.fork()
    if child == 0:
        os._exit(0 if same(all_kernels(), expected) else 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the forked child hangs in a kernel")


class Divergences(Dataset[torch.Tensor]):
    """A data set whose items are computed by a kernel in the loader's worker."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(divergence.kl(LARGE, np.roll(LARGE, index, axis=1), normalize=True))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kernels_run_in_the_workers_of_a_data_loader(two_threads: None) -> None:
    expected = torch.stack([Divergences()[i] for i in range(4)])
    loader = DataLoader(Divergences(), batch_size=4, num_workers=2, timeout=60)
    assert torch.equal(next(iter(loader)), expected)


def test_threads_share_the_kernels_and_change_the_pool_meanwhile(two_threads: None) -> None:
    expected = divergence.jensen_shannon(LARGE, LARGE[::-1], normalize=True)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as executor:
            for i in range(40):
                executor.submit(gancore.set_num_threads, 1 + i % 3)
            answers = [
                executor.submit(divergence.jensen_shannon, LARGE, LARGE[::-1], normalize=True) for _ in range(40)
            ]
            for answer in answers:
                assert np.array_equal(answer.result(timeout=60), expected)
    finally:
        sys.setswitchinterval(interval)


POLLED = """
import numpy as np
from gancore.kernels.langevin import GaussianMixture
mixture = GaussianMixture(np.zeros((25, 2)), 1.0)
work = lambda: mixture.langevin(np.zeros((20000, 2)), steps=100000, step_size=0.01, seed=0)
"""
PIVOTS = """
import numpy as np
from gancore.kernels.emd import emd
random = np.random.default_rng(0)
a, b = random.dirichlet(np.ones(5000), 2)
x, y = random.standard_normal((2, 5000, 2), dtype=np.float32)
cost = (x[:, :1] - y[:, :1].T) ** 2 + (x[:, 1:] - y[:, 1:].T) ** 2
work = lambda: emd(a, b, cost)
"""
ABANDONED = """
import numpy as np
from gancore.kernels.frechet import trace_sqrt_product
a = np.diag(np.arange(1.0, 2501.0))
work = lambda: trace_sqrt_product(a, a)
"""
INTERRUPTED = """
import threading, time, os, signal
def strike():
    time.sleep(0.4)
    strike.at = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=strike).start()
try:
    work()
    print("finished")
except KeyboardInterrupt:
    print(time.monotonic() - strike.at, flush=True)
    os._exit(0)
"""


@pytest.mark.parametrize("work", [POLLED, PIVOTS, ABANDONED], ids=["polled", "pivots", "abandoned"])
def test_ctrl_c_is_heard_inside_a_kernel(work: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", work + INTERRUPTED], capture_output=True, text=True, check=True, timeout=120
    )
    # The gate looks every 50 ms; the rest of the second is for a machine under load.
    assert float(done.stdout) < 1.0
