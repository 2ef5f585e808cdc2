"""``gancore evaluate``: judge a run, print the scores and write the report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gancore import registry
from gancore._extras import require
from gancore.cli._data import add_data_options, load_data
from gancore.cli._failures import note
from gancore.cli._parser import add_command

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands
    from gancore.evaluation import Evaluation

__all__ = ["add", "run"]

_WIDTH = 110
_LINES = 10


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "evaluate",
        run=run,
        summary="judge the samples of a run; write metrics.json and report.html",
        examples="""\
  gancore evaluate runs/digits
  gancore evaluate runs/digits --samplers plain -n 10000
  gancore evaluate runs/digits --json > scores.json""",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a run")
    parser.add_argument(
        "--samplers", metavar="NAMES", help="names with commas, or all (default: plain,ddls; for tokens plain)"
    )
    add_data_options(parser, "real samples to judge against (default: those of the run)")
    parser.add_argument("-n", metavar="N", dest="n", type=int, help="samples of each source (default: up to 2000)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the samples (default: 0)")
    parser.add_argument(
        "--checkpoint", metavar="WHICH", default="last", help="last, best or a file of the run (default: last)"
    )
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--json", action="store_true", help="print metrics.json instead of a table")
    parser.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="show no progress")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, write and print."""
    for package in ("torch", "matplotlib", "PIL", "jinja2", "rich"):
        require(package, extra="train")
    from gancore.evaluation import evaluate, write_report
    from gancore.evaluation.drawing import usual_samplers
    from gancore.training import Run

    asked = [] if arguments.samplers is None else arguments.samplers.split(",")
    names = registry.names("samplers") if asked == ["all"] else asked
    for name in names:
        registry.get("samplers", name)
    trained = Run.load(arguments.run_folder, device=arguments.device, checkpoint=arguments.checkpoint)
    names = names or usual_samplers(trained)
    data = None if arguments.data is None else load_data(arguments)
    if not arguments.quiet:
        note(f"judging {trained.system.name} on {trained.data_name} at step {trained.step}: {', '.join(names)}")
    found = evaluate(trained, data, samplers=names, n=arguments.n, seed=arguments.seed, progress=not arguments.quiet)
    for name, reason in found.failures.items():
        note(f"gancore evaluate: warning: {name} could not sample this run: {reason}")
    files = write_report(found, arguments.run_folder, history=trained.history)
    if arguments.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _print_table(found)
        if found.of_tokens:
            print(*("  " + line for line in found.lines("plain")[:_LINES]), sep="\n")
        print(f"report: {files['report.html']}")
    return 0


def _print_table(found: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    from gancore.evaluation.table import score_table

    scores = score_table(found)
    table = Table(title=f"{found.run['system']} on {found.run['data']}, step {found.run['step']}", title_justify="left")
    table.add_column("samples")
    for heading in scores.columns:
        table.add_column(heading, justify="right")
    for source, cells in scores.rows.items():
        table.add_row(source, *(f"{cell.text} {cell.small}".rstrip().replace("[", r"\[") for cell in cells))
    # A file or a pipe has no width: a row stays in one line there.
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
