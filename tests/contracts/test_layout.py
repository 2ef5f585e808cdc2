"""One concept has one name in every layer: what is missing is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gancore import kernels, registry

ROOT = Path(__file__).parents[2]
KERNEL_SOURCES = ROOT / "rust/gancore-kernels/src"
SHARED_GROUND = {"lib", "error", "pool", "simd", "rng", "num", "linalg"}
KERNELS = sorted(p.stem for p in KERNEL_SOURCES.glob("*.rs") if p.stem not in SHARED_GROUND)

LAYERS = (
    "rust/gancore-kernels/tests/{}.rs",
    "rust/gancore-kernels/tests/naive/{}.rs",
    "rust/gancore-kernels/benches/{}.rs",
    "rust/gancore-py/src/{}.rs",
    "python/gancore/kernels/{}.py",
    "python/gancore/kernels/_torch/{}.py",
    "tests/kernels/test_{}.py",
    "benches/test_{}.py",
)


def test_the_public_kernels_are_the_compiled_ones() -> None:
    assert sorted(kernels.__all__) == KERNELS


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_stands_in_every_layer(kernel: str, layer: str) -> None:
    assert (ROOT / layer.format(kernel)).is_file()


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_binding_stays_thin(kernel: str) -> None:
    lines = (ROOT / f"rust/gancore-py/src/{kernel}.rs").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200, "a binding extracts, enters and wraps; mathematics belongs to the kernel"


def test_the_binding_cannot_panic_on_input() -> None:
    for source in (ROOT / "rust/gancore-py/src").glob("*.rs"):
        found = re.findall(r"\.unwrap\(\)|\.expect\(|panic!\(", source.read_text(encoding="utf-8"))
        assert not found, source.name


@pytest.mark.parametrize("axis", registry.AXES)
def test_every_registered_file_exports_what_it_is_named_for(axis: str) -> None:
    assert registry.names(axis)
    for name in registry.names(axis):
        assert callable(registry.get(axis, name))
        assert registry.describe(axis, name).endswith("."), "the first line of the docstring describes the choice"


@pytest.mark.parametrize("axis", ["samplers", "metrics"])
def test_every_registered_function_is_exported_by_its_package(axis: str) -> None:
    package = __import__(f"gancore.{axis}", fromlist=[axis])
    for name in registry.names(axis):
        assert getattr(package, name) is registry.get(axis, name), (
            f"add an import of {name} to gancore/{axis}/__init__.py"
        )


def test_nobody_uses_the_global_thread_pool_or_pickle() -> None:
    for source in KERNEL_SOURCES.glob("*.rs"):
        if source.stem != "pool":
            assert "rayon::" not in source.read_text(encoding="utf-8"), source.name
    for module in (ROOT / "python/gancore").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        found = re.search(
            r"^\s*(import|from) (pickle|dill|joblib)\b|torch\.save\(|allow_pickle=True", text, re.MULTILINE
        )
        assert not found, module
