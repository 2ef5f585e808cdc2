"""``python -m gancore``: the command line."""

from __future__ import annotations

import sys

from gancore.cli import main

sys.exit(main())
