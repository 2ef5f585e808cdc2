"""``gancore sample``: draw samples from a run into a picture, an array file or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gancore import registry
from gancore._extras import require
from gancore.cli._failures import UsageError, note
from gancore.cli._parser import add_command
from gancore.cli._settings import add_settings, coerced

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands
    from gancore.datasets import Data
    from gancore.training import Run

__all__ = ["add", "run"]

_OWN = ("latent_dim", "prior", "seed", "critic_kind", "progress")
"""What the run and the other options say of a sampler."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "sample",
        run=run,
        summary="draw samples from a run",
        examples="""\
  gancore sample runs/digits -n 64 -o grid.png
  gancore sample runs/digits -n 64 --sampler ddls --set steps=500 -o grid.png
  gancore sample runs/digits -n 5000 -o samples.npz
  gancore sample runs/digits -n 5000 -o samples/

A sampler that uses the critic is calibrated on the run's data, unless --set calibrate=none.""",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a run")
    parser.add_argument("-n", metavar="N", dest="n", type=int, default=64, help="how many samples (default: 64)")
    parser.add_argument("--sampler", metavar="NAME", default="plain", help="a sampler: see gancore list samplers")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a .png: one picture; an .npz: arrays x and z; a .txt: lines of text; else a folder: a PNG a sample "
        "(default: samples.png; text is printed)",
    )
    add_settings(parser, "a setting of the sampler, such as steps=500")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the samples (default: 0)")
    parser.add_argument(
        "--checkpoint", metavar="WHICH", default="last", help="last, best or a file of the run (default: last)"
    )
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="show no progress")


def run(arguments: argparse.Namespace) -> int:
    """Sample and write."""
    require("torch", extra="train")
    from gancore.cli._output import lines_of, write_samples, write_text
    from gancore.evaluation.drawing import draw
    from gancore.training import Run

    wanted = arguments.output or "samples.png"
    output = Path(wanted)
    if output.suffix not in ("", ".png", ".npz", ".txt") and not wanted.endswith("/"):
        raise UsageError(f"argument -o: expected a .png, an .npz, a .txt or a folder, got {wanted!r}")
    settings = coerced(arguments.set, registry.get("samplers", arguments.sampler), taken=_OWN)
    trained = Run.load(arguments.run_folder, device=arguments.device, checkpoint=arguments.checkpoint)
    samples = draw(
        trained,
        arguments.sampler,
        arguments.n,
        seed=arguments.seed,
        calibrate=None if "calibrate" in settings else _calibration(trained, arguments.sampler),
        progress=not arguments.quiet,
        settings=settings,
    )
    if trained.vocabulary is None:
        print(write_samples(samples, output))
    elif arguments.output is None:
        print(*lines_of(samples, trained.vocabulary), sep="\n")
    else:
        print(write_text(samples, trained.vocabulary, output))
    return 0


def _calibration(trained: Run, sampler: str) -> Data | None:
    """What to calibrate the sampler on."""
    from gancore.evaluation.drawing import needs_data
    from gancore.evaluation.reload import calibration_data

    if not needs_data(sampler):
        return None
    data, held_out = calibration_data(trained)
    note(f"calibrating the critic on {data.name}, {'held-out samples' if held_out else 'which it was trained on too'}")
    return data
