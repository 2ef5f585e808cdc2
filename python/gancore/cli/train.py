"""``gancore train``: train a system, or go on with a run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gancore import systems
from gancore._extras import require
from gancore.cli._data import add_data_options, load_data, report_skipped
from gancore.cli._failures import INTERRUPTED, UsageError, note
from gancore.cli._parser import add_command
from gancore.cli._settings import add_settings, coerced

if TYPE_CHECKING:
    import argparse

    from gancore.cli._parser import Commands
    from gancore.datasets import Data
    from gancore.systems import System
    from gancore.training.folder import RunRecord

__all__ = ["add", "run"]

_STEPS = 3000
_POINTS_OF_CURVE = 20
_FORGOTTEN = ("skip-bad-images", "compile", "no-metrics", "no-progress", "quiet")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "train",
        run=run,
        summary="train a system on data, or go on with a run",
        examples="""\
  gancore train dcgan --data digits --out runs/digits
  gancore train dcgan --data digits --out runs/digits --resume --steps 6000
  gancore train wgan_gp --data ring --set networks=mlp penalty=0.1
  gancore train wgan_gp --data photos/ --image-size 64 --set critic_steps=3 lr=2e-4
  torchrun --nproc-per-node=2 -m gancore train wgan_gp --data photos/ --image-size 64

Ctrl-C finishes the step and writes a checkpoint; the same command with --resume goes on from there.
What can be set: gancore explain SYSTEM""",
    )
    parser.add_argument(
        "system",
        metavar="SYSTEM",
        nargs="?",
        help="a system: see gancore list systems; a run that goes on knows its own",
    )
    add_data_options(parser, "what to train on; a run that goes on knows its own")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the run (default: runs/SYSTEM-DATA)")
    parser.add_argument(
        "--steps", metavar="N", type=int, help=f"generator steps in all, earlier ones included (default: {_STEPS})"
    )
    add_settings(parser, "a choice of the system, such as critic_steps=3")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out from its last checkpoint")
    parser.add_argument(
        "--seed", metavar="N", type=int, help="seed of weights, codes and the data's order (default: 0)"
    )
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--precision", metavar="NAME", help="auto, float32 or bfloat16 (default: auto)")
    parser.add_argument(
        "--lr-schedule",
        metavar="SCHEDULE",
        help="constant, linear:A-B or cosine:A-B: rates fall to nothing from step A to B (default: constant)",
    )
    parser.add_argument(
        "--sample-every", metavar="N", type=int, help="steps between two pictures in samples/ (default: none)"
    )
    parser.add_argument(
        "--best", metavar="METRIC", help="also keep the checkpoint with the best score, such as fid (default: none)"
    )
    parser.add_argument(
        "--track", metavar="SERVICE", help="send the history to wandb or trackio, where it is installed (default: none)"
    )
    parser.add_argument("--compile", action="store_true", help="compile networks and critic step with torch.compile")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=600.0,
        help="how long processes that torchrun started wait for each other (default: 600)",
    )
    parser.add_argument("--no-metrics", action="store_true", help="do not judge samples while training")
    parser.add_argument("--no-progress", action="store_true", help="do not show how far training is")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress and print the folder alone")


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What to do, the command line and the record of an earlier session taken together."""

    system: System
    data: Data
    steps: int
    out: Path
    seed: int
    device: str
    precision: str
    lr_schedule: str


def run(arguments: argparse.Namespace) -> int:
    """Train."""
    require("torch", extra="train")
    from gancore.training.launch import is_first

    plan = _plan(arguments)
    try:
        _train(plan, arguments)
    except KeyboardInterrupt:
        return _interrupted(plan, arguments) if is_first() else INTERRUPTED
    if not is_first():
        return 0
    folder = plan.out if arguments.quiet else f"run: {plan.out}\nnext: gancore evaluate {shlex.quote(str(plan.out))}"
    print(folder)
    return 0


def _plan(arguments: argparse.Namespace) -> _Plan:
    out = _folder(arguments)
    record = _record(arguments, out)
    return _Plan(
        system=_system(arguments, record),
        data=_data(arguments, record),
        steps=_first(arguments.steps, record and record.steps, _STEPS),
        out=out,
        seed=_first(arguments.seed, record and record.seed, 0),
        device=_first(arguments.device, record and record.device, "auto"),
        precision=_first(arguments.precision, record and record.precision, "auto"),
        lr_schedule=_first(arguments.lr_schedule, record and record.lr_schedule, "constant"),
    )


def _first(*options: Any) -> Any:
    """The first that is not None."""
    return next(option for option in options if option is not None)


def _folder(arguments: argparse.Namespace) -> Path:
    if not arguments.resume:
        missing = [name for name, given in (("SYSTEM", arguments.system), ("--data", arguments.data)) if not given]
        if missing:
            raise UsageError(f"expected {' and '.join(missing)}")
    if arguments.out is not None:
        out: Path = arguments.out
        return out
    if not (arguments.system and arguments.data):
        raise UsageError("--resume: expected --out DIR, or SYSTEM and --data, which name the folder runs/SYSTEM-DATA")
    # A file's suffix and the way to it are no part of a folder's name.
    return Path("runs", f"{arguments.system.replace('-', '_')}-{Path(arguments.data).absolute().stem}")


def _record(arguments: argparse.Namespace, out: Path) -> RunRecord | None:
    """What the run to go on with was asked for; None for a new run."""
    from gancore.training.folder import RunFolder

    started = (out / "run.json").exists()
    if not arguments.resume or (not started and arguments.system and arguments.data):
        return None
    return RunFolder(out).read()


def _system(arguments: argparse.Namespace, record: RunRecord | None) -> System:
    name = arguments.system or (record.system if record else "")
    recipe = systems.get(name)
    choices = coerced(arguments.set, recipe)
    if record is not None and record.system == name.replace("-", "_"):
        choices = {**record.choices, **choices}
    return recipe(**choices)


def _data(arguments: argparse.Namespace, record: RunRecord | None) -> Data:
    if record is None or arguments.data not in (None, record.data["name"]) or arguments.image_size is not None:
        return load_data(arguments)
    from gancore.evaluation.reload import reload_data
    from gancore.text import Vocabulary

    # The size that images were brought to need not be said again.
    shape = tuple(record.data["shape"])
    words = record.data.get("vocabulary")
    data = reload_data(
        record.data["name"],
        shape=shape,
        skip_bad_images=arguments.skip_bad_images,
        vocabulary=None if words is None else Vocabulary.from_dict(words),
    )
    report_skipped(data)
    return data


def _train(plan: _Plan, arguments: argparse.Namespace) -> None:
    from gancore.evaluation.tracking import track
    from gancore.training import train
    from gancore.training.launch import is_first

    train(
        plan.system,
        plan.data,
        steps=plan.steps,
        out=plan.out,
        resume=arguments.resume,
        seed=plan.seed,
        device=plan.device,
        precision=plan.precision,
        compile=arguments.compile,
        metrics=None if arguments.no_metrics else track(plan.data, plan.out if is_first() else None),
        evaluate_every=max(plan.steps // _POINTS_OF_CURVE, 1),
        progress=not (arguments.quiet or arguments.no_progress),
        timeout=arguments.timeout,
        best=arguments.best,
        sample_every=arguments.sample_every,
        writers=[] if arguments.track is None else [arguments.track],
        lr_schedule=plan.lr_schedule,
    )


def _interrupted(plan: _Plan, arguments: argparse.Namespace) -> int:
    """Say what is left, and how to go on."""
    from gancore.training.checkpoint import list_checkpoints

    if not list_checkpoints(plan.out / "checkpoints"):
        note("gancore train: interrupted before the first checkpoint; nothing to go on from")
        return INTERRUPTED
    # What the run itself does not remember has to be said again.
    flags = [f"--{flag}" for flag in _FORGOTTEN if getattr(arguments, flag.replace("-", "_"))]
    words = ["gancore", "train", plan.system.name, "--data", plan.data.name, "--out", plan.out, "--steps", plan.steps]
    for option in ("best", "sample_every", "track"):
        if (value := getattr(arguments, option)) is not None:
            words += [f"--{option.replace('_', '-')}", value]
    command = " ".join(shlex.quote(str(word)) for word in [*words, *flags, "--resume"])
    note(f"gancore train: interrupted, nothing is lost; go on with: {command}")
    return INTERRUPTED
