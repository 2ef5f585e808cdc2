"""The versions that made a result: what a record of it must tell."""

from __future__ import annotations

import platform
import sys

import numpy as np

from gancore._rust import __version__

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Versions of gancore, Python, NumPy and, where it is in use, torch.

    Examples
    --------
    >>> sorted(versions())[:2]
    ['gancore', 'numpy']
    """
    found = {"gancore": __version__, "python": platform.python_version(), "numpy": np.__version__}
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = torch.__version__
    return found
