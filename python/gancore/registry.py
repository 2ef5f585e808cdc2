"""Names by file: what stands in an axis folder is registered because it exists.

The file ``objectives/wasserstein.py`` registers ``wasserstein`` on the axis ``objectives``; the one name in its
``__all__`` that equals the file's name, or else the single class, is what :func:`get` returns. Files that begin
with an underscore are helpers. Listing and describing import nothing, so they work without torch.
"""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Any

from gancore.errors import UnknownNameError

__all__ = ["AXES", "describe", "get", "names"]

AXES = ("systems", "objectives", "regularizers", "networks", "games", "samplers", "metrics")
"""The axes of choice, one folder each."""

_ROOT = Path(__file__).parent


@cache
def names(axis: str) -> tuple[str, ...]:
    """Names registered on an axis, sorted.

    Parameters
    ----------
    axis : str
        One of :data:`AXES`.

    Returns
    -------
    tuple of str

    Raises
    ------
    UnknownNameError
        If there is no such axis.

    Examples
    --------
    >>> "wgan_gp" in names("systems")
    True
    """
    if axis not in AXES:
        raise UnknownNameError("axis", axis, AXES)
    return tuple(sorted(p.stem for p in (_ROOT / axis).glob("*.py") if not p.stem.startswith("_")))


def get(axis: str, name: str) -> Any:
    """The class or function registered under a name.

    Parameters
    ----------
    axis : str
        One of :data:`AXES`.
    name : str
        The file's name, without ``.py``; a hyphen counts as an underscore.

    Returns
    -------
    class or function
        The name of the file if its ``__all__`` has it, else the one class in ``__all__``.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such file.

    Examples
    --------
    >>> get("metrics", "fid").__name__
    'fid'
    """
    module = importlib.import_module(f"gancore.{axis}.{_known(axis, name)}")
    exported: list[str] = module.__all__
    canonical = module.__name__.rpartition(".")[2]
    chosen = canonical if canonical in exported else next(n for n in exported if isinstance(getattr(module, n), type))
    return getattr(module, chosen)


def describe(axis: str, name: str) -> str:
    """The first line of the docstring of a registered file, read without importing it.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such file.

    Examples
    --------
    >>> describe("metrics", "fid").startswith("Fréchet")
    True
    """
    source = (_ROOT / axis / f"{_known(axis, name)}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _known(axis: str, name: str) -> str:
    canonical = name.replace("-", "_")
    if canonical not in names(axis):
        raise UnknownNameError(axis.removesuffix("s"), name, names(axis))
    return canonical
