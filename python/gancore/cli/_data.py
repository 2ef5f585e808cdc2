"""Options that say what the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gancore import datasets
from gancore.cli._failures import note

if TYPE_CHECKING:
    import argparse

__all__ = ["add_data_options", "load_data", "report_skipped"]


def add_data_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare --data, --image-size, --skip-bad-images and --tokenizer."""
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"{what}: {', '.join(datasets.NAMES)}, a folder of images or of IDX files, an .npy or .npz file, or a "
        ".txt file of one sentence a line",
    )
    parser.add_argument("--image-size", metavar="PIXELS", type=int, help="crop and resize images to this side")
    parser.add_argument(
        "--skip-bad-images", action="store_true", help="leave out images that cannot be read, and list them"
    )
    parser.add_argument(
        "--tokenizer",
        choices=("words", "characters"),
        default="words",
        help="what a token of a .txt file is (default: words)",
    )


def load_data(arguments: argparse.Namespace) -> datasets.Data:
    """The data that were asked for; what was left out is named."""
    data = datasets.load(
        arguments.data,
        image_size=arguments.image_size,
        skip_bad_images=arguments.skip_bad_images,
        vocabulary=arguments.tokenizer,
    )
    report_skipped(data)
    return data


def report_skipped(data: datasets.Data) -> None:
    """Name what was left out of the data."""
    if data.skipped:
        note(f"left out {len(data.skipped)} of {len(data.skipped) + len(data)} images that cannot be read:")
        for name, reason in data.skipped:
            note(f"  {name}: {reason}")
