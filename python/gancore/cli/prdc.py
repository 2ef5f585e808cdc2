"""``gancore prdc``: precision, recall, density and coverage of generated samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gancore.cli._parser import add_command
from gancore.cli._scores import EXAMPLES, Sides, add_score_options, print_score, save_path
from gancore.errors import DomainError

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "prdc",
        run=run,
        summary="precision, recall, density and coverage of generated samples",
        examples=f"""\
  gancore prdc photos/ fakes/ --weights inception.pth
  gancore prdc digits runs/digits --features runs/digits
  gancore prdc real.npy fake.npy -k 5 --json
{EXAMPLES}""",
    )
    add_score_options(parser, "features")
    parser.add_argument(
        "-k",
        metavar="K",
        type=int,
        help="which neighbour's distance is the radius (default: 3 for precision and "
        "recall, 5 for density and coverage, as their papers have it)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Score and print."""
    from gancore.metrics import prdc
    from gancore.metrics._measure import Reading, look_through, rows_of
    from gancore.metrics._protocol import score_protocol
    from gancore.metrics._sides import read_both

    sides = Sides.of(arguments)
    options = dict(sides.options)
    allowed = options.pop("allow_different_protocols")
    network = options.pop("features")
    reading = Reading(**options, distributed=False)
    look = look_through(network, None, reading)
    reals, fakes, differences = read_both(rows_of, sides.real, sides.fake, look, reading, allowed=allowed)
    k = (
        {"recall_k": 3, "coverage_k": 5}
        if arguments.k is None
        else dict.fromkeys(("recall_k", "coverage_k"), arguments.k)
    )
    fewest = min(len(reals), len(fakes))
    if max(k.values()) >= fewest:
        raise DomainError(f"k: expected less than the number of samples, {fewest}, got {max(k.values())}")
    dtype = np.result_type(reals.x, fakes.x)
    results = prdc(reals.x.astype(dtype, copy=False), fakes.x.astype(dtype, copy=False), **k)
    if (path := save_path(arguments)) is not None:
        reals.save(path)
    sides.report_skipped()
    values, intervals = {}, {}
    for result in (results.precision_recall, results.density_coverage):
        for name in ("precision", "recall", "density", "coverage"):
            if hasattr(result, name):
                values[name], intervals[name] = getattr(result, name), getattr(result, f"{name}_interval")
    settings = {"n_real": len(reals), "n_fake": len(fakes), "dim": reals.x.shape[1], **k}
    found = {
        "value": values,
        "interval": intervals,
        "n_real": len(reals),
        "n_fake": len(fakes),
        "protocol": score_protocol("prdc", reals.protocol, fakes.protocol, differences, **settings),
    }
    print_score(arguments, {name: (f"{value:.4f}", intervals[name]) for name, value in values.items()}, found)
    return 0
