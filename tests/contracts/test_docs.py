"""Every public name is documented, and every example in the documentation runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import gancore

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(gancore.__path__, "gancore.")
    if not module.name.endswith(("__main__", "_rust"))
)


@pytest.mark.parametrize("name", ["gancore", *MODULES])
def test_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    assert module.__doc__
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


@pytest.mark.parametrize("name", ["divergence", "emd", "frechet", "langevin", "moments", "wasserstein"])
def test_kernels_say_shapes_errors_source_and_example(name: str) -> None:
    module = importlib.import_module(f"gancore.kernels.{name}")
    for public in module.__all__:
        text = inspect.getdoc(getattr(module, public)) or ""
        for part in ("Parameters", "Raises", "Examples", ">>>"):
            assert part in text, f"{name}.{public} lacks {part}"
        assert re.search(r"\((17|18|19|20)\d\d\)", text), f"{name}.{public} names no source"


def code_blocks(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_python_in_the_documents_runs(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = code_blocks(ROOT / document)
    assert blocks
    scope: dict[str, object] = {}
    for block in blocks:
        exec(compile(ast.parse(block), document, "exec"), scope)  # noqa: S102


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANCORE_EXAMPLE_STEPS", "20")
    source = example.read_text(encoding="utf-8")
    exec(compile(source, example.name, "exec"), {"__name__": "__main__"})  # noqa: S102
