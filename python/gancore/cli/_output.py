"""Samples as files: a picture of all, arrays, or a folder of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gancore import figures
from gancore._files import atomic_write
from gancore.errors import IncompatibleChoiceError

if TYPE_CHECKING:
    from pathlib import Path

    from gancore.samplers import Samples
    from gancore.text import Vocabulary

__all__ = ["lines_of", "write_samples", "write_text"]


def write_samples(samples: Samples, output: Path) -> Path:
    """Write samples in the form that the path's suffix asks for; return the path.

    Raises
    ------
    IncompatibleChoiceError
        If points are to be written as pictures of their own.
    """
    if output.suffix == ".txt":
        raise IncompatibleChoiceError(f"-o {output}: only samples of text can be written as lines")
    points = samples.x.ndim == 2
    if output.suffix in (".png", ".npz"):
        output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".npz":
        with atomic_write(output) as aside:
            np.savez_compressed(aside, x=samples.x.cpu().numpy(), z=samples.z.cpu().numpy())
    elif output.suffix == ".png" and points:
        figures.save_png(figures.scatter({samples.info.sampler: samples.x}), output, background="white")
    elif output.suffix == ".png":
        figures.save_grid(samples.x, output)
    elif points:
        raise IncompatibleChoiceError(f"-o {output}: points have no pictures of their own; ask for a .png or an .npz")
    else:
        _write_folder(samples, output)
    return output


def lines_of(samples: Samples, vocabulary: Vocabulary) -> list[str]:
    """Samples of token ids as lines of text."""
    return [vocabulary.decode(row) for row in samples.x.tolist()]


def write_text(samples: Samples, vocabulary: Vocabulary, output: Path) -> Path:
    """Write samples of text as lines, or as arrays; return the path.

    Raises
    ------
    IncompatibleChoiceError
        If pictures are asked for.
    """
    if output.suffix == ".npz":
        return write_samples(samples, output)
    if output.suffix != ".txt":
        raise IncompatibleChoiceError(f"-o {output}: text has no pictures; ask for a .txt or an .npz")
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(output) as aside:
        aside.write_text("".join(f"{line}\n" for line in lines_of(samples, vocabulary)), encoding="utf-8")
    return output


def _write_folder(samples: Samples, folder: Path) -> None:
    """One PNG a sample, pixel by pixel."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    pixels = figures.to_pixels(samples.x)
    digits = len(str(len(pixels) - 1))
    for index, image in enumerate(pixels):
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        figures.save_png(picture, folder / f"{index:0{digits}}.png")
