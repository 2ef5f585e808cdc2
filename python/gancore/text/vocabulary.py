"""Vocabularies: the words behind token ids, and the way between lines and sequences of ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final, get_args

from gancore import _check
from gancore.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["END", "Tokenizer", "Vocabulary", "split"]

END = 0
"""The token that ends a sequence; it is fed as the start of every sequence too, and pads what follows the end."""

Tokenizer = Literal["words", "characters"]
"""What a token is: what stands between blanks, or one character."""

_SPECIAL = ("<end>", "<unknown>")


def split(line: str, tokenizer: Tokenizer) -> list[str]:
    """The tokens of a line.

    Examples
    --------
    >>> split("a red bus", "words"), split("a b", "characters")
    (['a', 'red', 'bus'], ['a', ' ', 'b'])
    """
    return line.split() if tokenizer == "words" else list(line)


@final
@dataclass(frozen=True)
class Vocabulary:
    """Words by token id.

    Parameters
    ----------
    words : tuple of str
        The word of each id. Id 0 is the end of a sequence (:data:`END`).
    tokenizer : {"words", "characters"}
        How lines are split.
    unknown : bool
        Whether id 1 stands for all words that are not in the vocabulary.

    Raises
    ------
    DomainError
        If the special tokens are not in their places, nothing follows them, or a word comes twice.

    Examples
    --------
    >>> vocabulary = Vocabulary.build(["a red bus", "a cat"])
    >>> vocabulary.words
    ('<end>', 'a', 'bus', 'cat', 'red')
    >>> vocabulary.encode("a cat"), vocabulary.decode([1, 3, 0, 0])
    ([1, 3], 'a cat')
    """

    words: tuple[str, ...]
    tokenizer: Tokenizer = "words"
    unknown: bool = False

    def __post_init__(self) -> None:
        if self.tokenizer not in get_args(Tokenizer):
            raise DomainError(f"tokenizer: expected {' or '.join(get_args(Tokenizer))}, got {self.tokenizer!r}")
        special = _SPECIAL[: self._first]
        if self.words[: self._first] != special or len(self.words) == self._first:
            raise DomainError(f"words: expected {', '.join(special)} and then words, got {self.words[:3]}")
        if len(self._ids) != len(self.words) - self._first:
            word, count = Counter(self.words[self._first :]).most_common(1)[0]
            raise DomainError(f"words: expected each word once, got {word!r} {count} times")

    @classmethod
    def build(cls, lines: Iterable[str], *, tokenizer: Tokenizer = "words", min_count: int = 1) -> Vocabulary:
        """The vocabulary of some lines: the most frequent word first, equally frequent ones by the alphabet.

        Parameters
        ----------
        lines : iterable of str
        tokenizer : {"words", "characters"}
        min_count : int
            Words that come less often become one unknown word.

        Returns
        -------
        Vocabulary

        Raises
        ------
        DomainError
            If no word is left, or a setting is out of range.
        """
        _check.integer("min_count", min_count, least=1)
        if tokenizer not in get_args(Tokenizer):
            raise DomainError(f"tokenizer: expected {' or '.join(get_args(Tokenizer))}, got {tokenizer!r}")
        counts = Counter(token for line in lines for token in split(line, tokenizer))
        kept = sorted((word for word, n in counts.items() if n >= min_count), key=lambda word: (-counts[word], word))
        special = _SPECIAL[: 2 if min_count > 1 else 1]
        return cls((*special, *kept), tokenizer=tokenizer, unknown=min_count > 1)

    def __len__(self) -> int:
        """How many token ids there are."""
        return len(self.words)

    def encode(self, line: str) -> list[int]:
        """The ids of a line, without an end.

        Raises
        ------
        DomainError
            If a word is not in the vocabulary and there is no unknown word.
        """
        tokens = split(line, self.tokenizer)
        if self.unknown:
            return [self._ids.get(token, 1) for token in tokens]
        for token in tokens:
            if token not in self._ids:
                raise DomainError(f"{token!r} is not in the vocabulary of {len(self)} words")
        return [self._ids[token] for token in tokens]

    def decode(self, ids: Sequence[int]) -> str:
        """The line of some ids, up to the first end.

        Raises
        ------
        DomainError
            If an id is outside the vocabulary.
        """
        found = []
        for place, token in enumerate(ids):
            if not 0 <= token < len(self):
                raise DomainError(f"ids[{place}]: expected 0 to {len(self) - 1}, got {token}")
            if token == END:
                break
            found.append(self.words[token])
        return ("" if self.tokenizer == "characters" else " ").join(found)

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary in types that JSON has."""
        return {"words": list(self.words), "tokenizer": self.tokenizer, "unknown": self.unknown}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Vocabulary:
        """The vocabulary that :meth:`to_dict` wrote."""
        return cls(tuple(content["words"]), content["tokenizer"], content["unknown"])

    @property
    def _first(self) -> int:
        """The id of the first word that is none of the special ones."""
        return 2 if self.unknown else 1

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words) if place >= self._first}
