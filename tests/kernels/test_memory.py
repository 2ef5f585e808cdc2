"""What kernels take above their input, at sizes where one copy too many would be seen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# In a process of its own, whose peak nothing else has raised; what the kernels load is loaded before it is read.
SCRIPT = """
from pathlib import Path
import numpy as np
from gancore.kernels.moments import FeatureMoments
from gancore.kernels.neighbors import ball_counts, knn_radii

def moments(x):
    moments = FeatureMoments(x.shape[1])
    for start in range(0, len(x), 500):
        moments.update(x[start : start + 500])
    return moments.mean, moments.covariance

def prdc(x):
    half = len(x) // 2
    radii = knn_radii(x[:half], 5), knn_radii(x[half:], 5)
    return ball_counts(x[:half], x[half:], x_radii=radii[0], y_radii=radii[1], inclusive=False)

def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))

{kernel}(np.random.default_rng(0).standard_normal((100, 8), dtype=np.float32))
x = np.random.default_rng(0).standard_normal(({rows}, 2048), dtype=np.float32)
before = peak()
outcome = {kernel}(x)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("kernel", "rows"), [("moments", 50_000), ("prdc", 20_000)])
def test_takes_less_than_150_megabytes_above_the_input(kernel: str, rows: int) -> None:
    script = SCRIPT.format(kernel=kernel, rows=rows)
    one = {**os.environ, "GANCORE_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=one)
    assert int(done.stdout) * 1024 < 150e6
