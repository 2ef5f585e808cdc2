"""``gancore doctor``: say what is wrong with a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from gancore._extras import require
from gancore.cli._parser import add_command

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "doctor",
        run=run,
        summary="say what is wrong with a run: nan, dead or saturated players, collapse, files",
        examples="""\
  gancore doctor runs/digits
  gancore doctor runs/digits --json

The exit code is 0 if nothing is wrong, 1 if something is, 2 if there is no run.""",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a run")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look, and tell."""
    require("torch", extra="train")
    from gancore.training.doctor import diagnose

    found = diagnose(arguments.run_folder)
    if arguments.json:
        findings = [finding.to_dict() for finding in found]
        print(json.dumps({"run": str(arguments.run_folder), "healthy": not found, "findings": findings}))
    elif not found:
        print("nothing is wrong")
    else:
        for finding in found:
            where = f" (step {finding.step})" if finding.step else ""
            print(f"{finding.severity}: {finding.illness}{where}: {finding.message}\n  {finding.advice}")
    return 1 if found else 0
