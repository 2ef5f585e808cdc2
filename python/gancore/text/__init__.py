"""Text as sequences of token ids: tokenizers, vocabularies, and files of lines read with errors that name the line."""

from __future__ import annotations

from gancore.text.lines import read_lines
from gancore.text.vocabulary import END, Vocabulary

__all__ = ["END", "Vocabulary", "read_lines"]
