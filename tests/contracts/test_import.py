"""`import gancore` needs NumPy alone; what is missing is named with its extra."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

OPTIONAL = (
    "torch",
    "safetensors",
    "PIL",
    "matplotlib",
    "rich",
    "jinja2",
    "scipy",
    "sklearn",
    "hypothesis",
    "tensorboard",
)


def run(code: str) -> str:
    """Run code in a fresh interpreter in which no optional dependency can be imported."""
    block = f"import sys\nfor name in {OPTIONAL!r}: sys.modules[name] = None\n"
    done = subprocess.run([sys.executable, "-c", block + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_kernels_and_lists_need_numpy_alone() -> None:
    code = """
import gancore, json
from gancore.kernels import divergence, frechet, wasserstein
from gancore import registry
print(json.dumps([
    divergence.kl([0.5, 0.5], [0.25, 0.75]) > 0,
    wasserstein.wasserstein_1d([0.0], [1.0]),
    frechet.frechet_distance(([0.0], [[1.0]]), ([1.0], [[1.0]])),
    "dcgan" in registry.names("systems"),
    bool(registry.describe("systems", "dcgan")),
]))
"""
    assert json.loads(run(code)) == [True, 1.0, 1.0, True, True]


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, gancore\nprint(sorted(set(sys.modules) & {'torch', 'scipy', 'matplotlib', 'PIL', 'rich'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "door",
    [
        "gancore.train",
        "gancore.Run",
        "gancore.samplers",
        "gancore.systems.get('dcgan')()",
        "gancore.datasets.load('digits')",
    ],
)
def test_a_missing_extra_is_named(door: str) -> None:
    code = f"""
import gancore
try:
    {door}
except ImportError as error:
    print(type(error).__name__, error)
"""
    assert run(code) == "MissingExtraError torch is not installed; install it with: pip install 'gancore[train]'"


def test_the_command_line_needs_no_extra_to_list_and_explain_itself() -> None:
    code = "from gancore.cli import main\nmain(['list', 'systems'])"
    assert "wgan_gp" in run(code)
