"""``gancore fid``: the Fréchet distance between real and generated samples."""

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
        "fid",
        run=run,
        summary="Fréchet distance between real and generated samples (FID)",
        examples=f"""\
  gancore fid photos/ fakes/ --weights inception.pth
  gancore fid digits runs/digits --features runs/digits
  gancore fid photos/ fakes/ --resize 299 --save-stats photos.npz
  gancore fid photos.npz other-fakes/ --resize 299 --json
  gancore fid real.npy fake.npy --infinity
{EXAMPLES}""",
    )
    add_score_options(parser, "statistics")
    parser.add_argument("--no-interval", action="store_true", help="do not estimate an interval")
    parser.add_argument(
        "--infinity", action="store_true", help="extrapolate to infinitely many samples (Chong and Forsyth, 2020)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Score and print."""
    from gancore.metrics import feature_rows, feature_statistics, fid, fid_infinity

    sides = Sides.of(arguments)
    options = sides.options | {"interval": not arguments.no_interval}
    real, path = sides.real, save_path(arguments)
    if path is not None:
        own = {key: value for key, value in options.items() if key != "allow_different_protocols"}
        if arguments.infinity:
            rows = {key: value for key, value in own.items() if key not in ("interval", "seed")}
            real = feature_rows(real, name="real", **rows)
            statistics = feature_statistics(real, interval=False, progress=False, name="real")
        else:
            real = statistics = feature_statistics(real, name="real", **own)
    found = (fid_infinity if arguments.infinity else fid)(real, sides.fake, **options)
    if path is not None:
        statistics.save(path)
    sides.report_skipped()
    name = "FID-infinity" if arguments.infinity else "FID"
    print_score(arguments, {name: (f"{found.value:.6g}", found.interval)}, asdict(found))
    return 0
