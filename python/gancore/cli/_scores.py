"""What the commands that score samples share: options, sources, the network, and how a score is printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gancore.cli._data import report_skipped
from gancore.cli._failures import UsageError, note
from gancore.errors import IncompatibleChoiceError
from gancore.metrics._networks import NAMES, network_of
from gancore.metrics._sources import holds_features, opened

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

__all__ = ["EXAMPLES", "Sides", "add_score_options", "print_score", "save_path"]

EXAMPLES = """
REAL and FAKE are each a folder of images, a name such as digits, an .npy or .npz of images, features or statistics, or,
for FAKE, the folder of a run. Scores compare only with scores of the same protocol, which is printed with each."""


def add_score_options(parser: argparse.ArgumentParser, saved: str) -> None:
    """Declare the sources and the options that all scores have."""
    parser.add_argument("real", metavar="REAL", help="real samples")
    parser.add_argument("fake", metavar="FAKE", help="generated samples")
    parser.add_argument(
        "--features",
        metavar="NAME",
        help=f"what to look through: {', '.join(NAMES)}, a classifier's file or the folder of a run that has one, or "
        "none (default: none for features and points, inception for images)",
    )
    parser.add_argument("--weights", metavar="FILE", type=Path, help="weights of inception (default: torch's cache)")
    parser.add_argument("--download", action="store_true", help="download the weights of inception if they are absent")
    parser.add_argument("--resize", metavar="PIXELS", type=int, help="crop and resize images to this side first")
    parser.add_argument(
        "-n", metavar="N", dest="n", type=int, help="samples to draw from a run (default: as many as REAL)"
    )
    parser.add_argument("--batch-size", metavar="N", type=int, default=256, help="images a batch (default: 256)")
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of groups and subsets (default: 0)")
    parser.add_argument(
        "--skip-bad-images", action="store_true", help="leave out images that cannot be read, and list them"
    )
    parser.add_argument(
        "--allow-different-protocols", action="store_true", help="score what was made in different ways all the same"
    )
    parser.add_argument(
        "--save-stats", metavar="FILE", help=f"write the {saved} of REAL to an .npz, for later use as REAL"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="show no progress")


@dataclass(frozen=True)
class Sides:
    """Opened sources and how they are looked at.

    Attributes
    ----------
    real, fake : object
        What :func:`gancore.metrics.fid` takes.
    options : dict
        Keyword arguments that all metrics of samples take.
    """

    real: Any
    fake: Any
    options: dict[str, Any]

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Sides:
        """What the command line names."""
        save_path(arguments)
        how = {"resize": arguments.resize, "skip_bad_images": arguments.skip_bad_images}
        real, fake = opened(arguments.real, "real", **how), opened(arguments.fake, "fake", **how)
        features = arguments.features
        if features is None:
            features = "none" if holds_features(real) and holds_features(fake) else "inception"
        if features == "none":
            if arguments.weights is not None or arguments.download:
                raise IncompatibleChoiceError("--weights, --download: only --features inception has weights in a file")
            network = None
        else:
            device = arguments.device
            network = network_of(features, device=device, weights=arguments.weights, download=arguments.download)
        options = {
            "features": network,
            "batch_size": arguments.batch_size,
            "n": arguments.n,
            "seed": arguments.seed,
            "allow_different_protocols": arguments.allow_different_protocols,
            "progress": not arguments.quiet,
            **how,
        }
        return cls(real, fake, options)

    def report_skipped(self) -> None:
        """Name the images that were left out."""
        for source in (self.real, self.fake):
            if getattr(source, "skipped", ()):
                report_skipped(source)


def save_path(arguments: argparse.Namespace) -> Path | None:
    """Where --save-stats writes, checked before anything is computed."""
    if arguments.save_stats is None:
        return None
    path = Path(arguments.save_stats)
    if path.suffix != ".npz":
        raise UsageError(f"argument --save-stats: expected an .npz, got {arguments.save_stats!r}")
    if not path.parent.is_dir():
        raise UsageError(f"argument --save-stats: {path.parent}: no such folder")
    return path


def print_score(arguments: argparse.Namespace, scores: Mapping[str, tuple[str, Any]], found: Mapping[str, Any]) -> None:
    """Print scores, by name a text and an interval, with the protocol; or everything as JSON."""
    if arguments.json:
        print(json.dumps({**found, "real": arguments.real, "fake": arguments.fake}, ensure_ascii=False))
        return
    lines = [(name, f"{text}{_bounds(interval)}") for name, (text, interval) in scores.items()]
    lines += [
        (side, f"{'' if found[f'n_{side}'] is None else format(found[f'n_{side}'], ',') + ' samples of '}{source}")
        for side, source in (("real", arguments.real), ("fake", arguments.fake))
    ]
    lines += [(key.replace("_", " "), _text(value)) for key, value in found["protocol"].items() if _shown(key, value)]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{name:<{width}}  {text}")
    if arguments.save_stats and not arguments.quiet:
        note(f"saved {arguments.save_stats}")


def _bounds(interval: Any) -> str:
    return "" if interval is None else f"  [{interval[0]:.6g}, {interval[1]:.6g}]"


def _shown(key: str, value: Any) -> bool:
    return value is not None and key not in ("metric", "n_real", "n_fake")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
