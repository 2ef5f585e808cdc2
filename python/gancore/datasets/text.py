"""Sequences of tokens as data: lines of a text file, or token ids that a script has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final, get_args

import torch

from gancore import _check
from gancore.datasets._interface import Data
from gancore.errors import DataError, DomainError
from gancore.text._ids import check_ids
from gancore.text.lines import read_lines
from gancore.text.vocabulary import END, Tokenizer, Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.datasets.idx import Split

__all__ = ["Tokens", "text"]

_HELD_OUT = 10
"""Of so many lines, the last belongs to the test part."""


@final
class Tokens(Data):
    """Sequences of token ids, held in memory.

    Parameters
    ----------
    ids : Tensor of shape (n, length)
        Integers 0, ..., size - 1.
    size : int
        How many token ids there are.
    name : str
        What to call the data.
    vocabulary : Vocabulary, optional
        The words behind the ids.

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If the ids are no such tensor, one is out of range, or a sequence of a vocabulary is empty; the message says
        where.

    Examples
    --------
    >>> data = Tokens(torch.tensor([[1, 2, 0], [2, 1, 2]]), size=3)
    >>> data.kind, data.shape, data.batch(torch.tensor([1])).tolist()
    ('tokens', (3, 3), [[2, 1, 2]])
    """

    def __init__(self, ids: Tensor, *, size: int, name: str = "tokens", vocabulary: Vocabulary | None = None) -> None:
        _check.integer("size", size, least=2)
        check_ids("ids", ids, size)
        if vocabulary is not None and len(vocabulary) != size:
            raise DomainError(f"vocabulary: expected {size} words, got {len(vocabulary)}")
        if vocabulary is not None and len(empty := (ids[:, 0] == END).nonzero()):
            raise DomainError(f"ids[{int(empty[0])}]: expected a word before the end, got padding alone")
        self.name = name
        self.kind = "tokens"
        self.shape = (ids.shape[1], size)
        self.vocabulary = vocabulary
        self._ids = ids.to(torch.int64)

    @property
    def labels(self) -> None:
        """None: sequences have no labels."""
        return

    def __len__(self) -> int:
        """How many sequences there are."""
        return len(self._ids)

    def batch(self, indices: Tensor) -> Tensor:
        """Sequences at the given indices: int64, shape (len(indices), length)."""
        return self._ids[indices]


def text(
    path: str | Path,
    *,
    vocabulary: Vocabulary | Tokenizer = "words",
    min_count: int = 1,
    split: Split = "train",
    name: str | None = None,
) -> Tokens:
    r"""The lines of a text file as sequences of tokens, shorter ones filled up with the end token.

    Every tenth line belongs to the test part and the others to the training part; vocabulary and length are those of
    the whole file, so that both parts fit the same networks. A file of fewer than ten lines has no test part.

    Parameters
    ----------
    path : str or Path
        A UTF-8 file, one sequence a line; a file of token ids is one whose words are numbers.
    vocabulary : Vocabulary, "words" or "characters"
        The words and their ids; or how to split lines, with the vocabulary built from the file.
    min_count : int
        Where the vocabulary is built: words that come less often become one unknown word.
    split : {"train", "test"}
        Which part.
    name : str, optional
        What to call the data; the path if not given.

    Returns
    -------
    Tokens
        Of shape (length, size of the vocabulary).

    Raises
    ------
    DataError
        If the file cannot be read, a line is empty or not UTF-8, or has a word that a given vocabulary lacks; with the
        number of the line. If there is no test part.
    DomainError
        If a setting is out of range.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = file.write_text("a red bus\na cat\n")
    >>> data = text(file)
    >>> data.batch(torch.arange(2)).tolist()
    [[1, 4, 2], [1, 3, 0]]
    """
    path = Path(path)
    if split not in ("train", "test"):
        raise DomainError(f"split: expected 'train' or 'test', got {split!r}")
    if not isinstance(vocabulary, Vocabulary) and vocabulary not in get_args(Tokenizer):
        raise DomainError(f"vocabulary: expected a Vocabulary, 'words' or 'characters', got {vocabulary!r}")
    lines = read_lines(path)
    if not isinstance(vocabulary, Vocabulary):
        vocabulary = Vocabulary.build(lines, tokenizer=vocabulary, min_count=min_count)
    sequences = [_encoded(line, number, path, vocabulary) for number, line in enumerate(lines, start=1)]
    ids = torch.full((len(sequences), max(map(len, sequences))), END, dtype=torch.int64)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = torch.tensor(sequence)
    held_out = torch.arange(len(ids)) % _HELD_OUT == _HELD_OUT - 1
    if split == "test" and not held_out.any():
        raise DataError(f"{path}: no test part, for there are only {len(ids)} lines")
    chosen = held_out if split == "test" else ~held_out
    return Tokens(ids[chosen], size=len(vocabulary), name=name or str(path), vocabulary=vocabulary)


def _encoded(line: str, number: int, path: Path, vocabulary: Vocabulary) -> list[int]:
    try:
        return vocabulary.encode(line)
    except DomainError as error:
        raise DataError(f"{path}: line {number}: {error}") from error
