"""Data to train on and to judge by, all behind :class:`Data`.

:func:`load` reads what a person names: embedded digits, IDX folders, folders of images, arrays in files,
Gaussian test benches. :func:`as_data` takes what a script has: tensors, arrays, torch datasets and loaders.
Nothing is downloaded.
"""

from __future__ import annotations

from gancore.datasets._as_data import as_data
from gancore.datasets._interface import Data
from gancore.datasets._load import NAMES, load

__all__ = ["NAMES", "Data", "as_data", "load"]
