"""``gancore kid``: the kernel distance between real and generated samples."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from gancore.cli._parser import add_command
from gancore.cli._scores import EXAMPLES, Sides, add_score_options, print_score, save_path

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "kid",
        run=run,
        summary="kernel distance between real and generated samples (KID)",
        examples=f"""\
  gancore kid photos/ fakes/ --weights inception.pth
  gancore kid digits runs/digits --features runs/digits --subset-size 500
  gancore kid real.npy fake.npy --json
{EXAMPLES}""",
    )
    add_score_options(parser, "features")
    parser.add_argument("--subsets", metavar="N", type=int, default=100, help="random subsets (default: 100)")
    parser.add_argument(
        "--subset-size", metavar="N", type=int, default=1000, help="samples of each side in a subset (default: 1000)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Score and print."""
    from gancore.metrics import feature_rows, kid

    sides = Sides.of(arguments)
    real, path = sides.real, save_path(arguments)
    if path is not None:
        own = {k: v for k, v in sides.options.items() if k not in ("allow_different_protocols", "seed")}
        real = feature_rows(real, name="real", **own)
    settings = {"subsets": arguments.subsets, "subset_size": arguments.subset_size}
    found = kid(real, sides.fake, **sides.options, **settings)
    if path is not None:
        real.save(path)
    sides.report_skipped()
    scores = {
        "KID, subsets": (f"{found.mean:.6g} ± {found.std:.2g}", None),
        "KID, all pairs": (f"{found.unbiased:.6g} ± {found.standard_error:.2g}", found.interval),
    }
    print_score(arguments, scores, asdict(found))
    return 0
