"""Two processes, each with its share, give every one of them the score of a single process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gancore.metrics import fid, fid_infinity

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
import torch
import torch.distributed as dist
from gancore.errors import GancoreError
from gancore.metrics import feature_rows, fid, fid_infinity

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
real, fake = np.load(folder / "real.npy"), np.load(folder / "fake.npy")
# Shares of different sizes.
mine = (real[:400], fake[:90]) if rank == 0 else (real[400:], fake[90:])
alone = fid(*mine, distributed=False, progress=False)
found = fid(*mine, progress=False)
loader = torch.utils.data.DataLoader(torch.from_numpy(mine[1]), batch_size=33)
results = {
    "shares": [found.value, found.n_real, found.n_fake, *found.interval],
    "loader": fid(mine[0], loader, progress=False).value,
    "paths": [fid(folder / "real.npy", str(folder / "fake.npy"), progress=False).value],
    "alone": [alone.value, alone.n_real],
    "one share is empty": fid(real if rank else real[:0], fake if rank else fake[:0], progress=False).value,
    "rows": len(feature_rows(mine[0], progress=False)),
    "infinity": fid_infinity(*mine, interval=False, progress=False).value,
    "statistics": fid(folder / "real.npz", mine[1], progress=False).value,
}
drawn = fid(real if rank else real[:0], lambda n: torch.randn(n, 5, dtype=torch.float64), n=501, progress=False)
results["drawn"] = drawn.n_fake
try:
    fid(mine[0], mine[1] if rank == 0 else mine[1][:, :3], progress=False)
except GancoreError as error:
    results["shapes"] = f"{type(error).__name__} {error}"
bad = mine[1].copy()
bad[5, 0] = np.nan if rank == 1 else 0.0
try:
    fid(mine[0], bad, progress=False)
except GancoreError as error:
    results["failure"] = f"{type(error).__name__} {error}"
for name, real_side, features in (("absent", "none.npy" if rank else mine[0], None), ("network", mine[0], "no/file")):
    try:
        fid(real_side, mine[1], features=features if rank else None, progress=False)
    except GancoreError as error:
        results[name] = f"{type(error).__name__} {error}"
(folder / f"{rank}.json").write_text(json.dumps(results))
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict, np.ndarray, np.ndarray]:
    folder = tmp_path_factory.mktemp("ranks")
    rng = np.random.default_rng(0)
    # Far from the origin, where sums of squares would lose the digits.
    real, fake = rng.normal(size=(700, 5)) + 1e4, rng.normal(0.5, 2.0, size=(300, 5)) + 1e4
    np.save(folder / "real.npy", real)
    np.save(folder / "fake.npy", fake)
    np.savez(folder / "real.npz", mu=real.mean(0), sigma=np.cov(real, rowvar=False))
    command = [sys.executable, "-c", SCRIPT]
    ranks = [
        subprocess.Popen([*command, str(rank), str(folder)], stderr=subprocess.PIPE, text=True) for rank in range(2)
    ]
    try:
        for rank in ranks:
            _, err = rank.communicate(timeout=120)
            assert rank.returncode == 0, err
    finally:
        for rank in ranks:
            rank.kill()
    results = [json.loads(Path(folder, f"{rank}.json").read_text()) for rank in range(2)]
    return results[0], results[1], real, fake


def test_shares_give_the_score_of_the_whole(found) -> None:
    one, other, real, fake = found
    whole = fid(real, fake, progress=False)
    assert one["shares"] == other["shares"], "the same bits on every process"
    value, n_real, n_fake, low, high = one["shares"]
    assert value == pytest.approx(whole.value, rel=1e-9)
    assert (n_real, n_fake) == (700, 300)
    assert (low, high) == pytest.approx(whole.interval, rel=1e-9), "all samples are taken, being few"
    for name in ("loader", "one share is empty", "statistics"):
        assert one[name] == other[name] == pytest.approx(whole.value, rel=1e-9), name


def test_a_path_is_shared_out(found) -> None:
    one, other, real, fake = found
    assert one["paths"] == other["paths"] == [pytest.approx(fid(real, fake, progress=False).value, rel=1e-9)]


def test_features_and_extrapolations_are_of_the_whole(found) -> None:
    one, other, real, fake = found
    assert one["rows"] == other["rows"] == 700
    whole = fid_infinity(real, fake, interval=False, progress=False).value
    assert one["infinity"] == other["infinity"] == pytest.approx(whole, rel=1e-9)


def test_a_function_draws_so_many_in_all(found) -> None:
    one, other, *_ = found
    assert one["drawn"] == other["drawn"] == 501


def test_a_process_may_score_alone(found) -> None:
    one, other, real, fake = found
    assert one["alone"] == [pytest.approx(fid(real[:400], fake[:90], progress=False).value), 400]
    assert other["alone"][1] == 300


def test_a_failure_of_one_is_told_to_all_and_nobody_waits(found) -> None:
    one, other, *_ = found
    assert other["failure"].startswith("DomainError fake: expected finite features, got nan or infinity in row 5")
    assert one["failure"] == "BackendError process 1 failed: " + other["failure"].replace("Error ", "Error: ", 1)
    assert one["absent"] == "BackendError process 1 failed: DataError: none.npy: no such file"
    assert other["absent"] == "DataError none.npy: no such file"
    assert one["network"].startswith("BackendError process 1 failed: DataError: no/file")
    assert one["shapes"] == other["shapes"] == "ShapeError features: expected as many on every process, got [5, 3]"


@pytest.mark.gpu
def test_nccl_merges_too(tmp_path: Path) -> None:
    code = f"""
import numpy as np, torch, torch.distributed as dist
from gancore.metrics import _distributed
dist.init_process_group("nccl", init_method="file://{tmp_path}/meet", rank=0, world_size=1)
assert np.array_equal(_distributed._summed(np.eye(3)), np.eye(3))
dist.destroy_process_group()
"""
    assert torch.cuda.is_available()
    subprocess.run([sys.executable, "-c", code], check=True)
