"""Check what is about to be published: tags, size, contents."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
(sdist,) = folder.glob("*.tar.gz")

assert "-cp310-abi3-" in wheel.name, f"{wheel.name} is not an abi3 wheel for CPython 3.10"
size = wheel.stat().st_size
assert size < 3_000_000, f"{wheel.name} has {size} bytes"
names = zipfile.ZipFile(wheel).namelist()
for needed in ("gancore/py.typed", "gancore/_rust.pyi", "gancore/datasets/digits.npz"):
    assert needed in names, f"{needed} is not in the wheel"
assert any(name.endswith(".html.j2") for name in names), "the report's template is not in the wheel"

with tarfile.open(sdist) as archive:
    inside = {name.partition("/")[2] for name in archive.getnames()}
for needed in (
    "Cargo.lock",
    "rust/gancore-kernels/Cargo.toml",
    "rust/gancore-py/src/lib.rs",
    "python/gancore/__init__.py",
):
    assert needed in inside, f"{needed} is not in the sdist"

print(f"{wheel.name}: {size / 1e6:.2f} MB; {sdist.name}: {sdist.stat().st_size / 1e6:.2f} MB")
