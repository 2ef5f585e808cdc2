"""Optional dependencies: imported where they are used, and named with their extra where they are absent."""

from __future__ import annotations

import importlib
from typing import Any

from gancore.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, extra: str) -> Any:
    """Import an optional module, or say which extra installs it.

    Raises
    ------
    MissingExtraError
        If the module's top package is not installed. An import error from inside an installed package passes
        through unchanged: it is that package's own trouble.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise MissingExtraError(package, extra) from None
