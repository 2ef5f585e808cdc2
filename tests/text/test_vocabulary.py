from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import DomainError
from gancore.text import END, Vocabulary

lines = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1), min_size=1, max_size=8)


@given(lines)
def test_characters_survive_the_way_there_and_back(found: list[str]) -> None:
    vocabulary = Vocabulary.build(found, tokenizer="characters")
    for line in found:
        ids = vocabulary.encode(line)
        assert END not in ids
        assert vocabulary.decode([*ids, END, 1]) == line
    assert Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary


def test_words_are_ordered_by_how_often_they_come_then_by_the_alphabet() -> None:
    assert Vocabulary.build(["c b b", "a c b"]).words == ("<end>", "b", "c", "a")


def test_a_word_that_looks_like_a_special_one_is_a_word() -> None:
    vocabulary = Vocabulary.build(["<end> of <unknown>"], min_count=1)
    assert END not in vocabulary.encode("<end> of")
    assert vocabulary.decode(vocabulary.encode("<end> of")) == "<end> of"


def test_rare_words_become_one_unknown_word() -> None:
    vocabulary = Vocabulary.build(["a a b", "a c"], min_count=2)
    assert vocabulary.words == ("<end>", "<unknown>", "a")
    assert vocabulary.encode("a b never") == [2, 1, 1]


def test_words_outside_are_named() -> None:
    vocabulary = Vocabulary.build(["a b"])
    with pytest.raises(DomainError, match=r"'c' is not in the vocabulary of 3 words"):
        vocabulary.encode("a c")
    with pytest.raises(DomainError, match=r"ids\[1\]: expected 0 to 2, got 3"):
        vocabulary.decode([1, 3])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Vocabulary(("a", "b")), "words: expected <end>"),
        (lambda: Vocabulary(("<end>",)), "words: expected <end>"),
        (lambda: Vocabulary(("<end>", "a", "a")), "'a' 2 times"),
        (lambda: Vocabulary(("<end>", "a"), tokenizer="bytes"), "tokenizer: .*'bytes'"),
        (lambda: Vocabulary.build(["a"], tokenizer="bytes"), "tokenizer: .*'bytes'"),
        (lambda: Vocabulary.build(["a"], min_count=0), "min_count: .*at least 1"),
        (lambda: Vocabulary.build(["a"], min_count=2), "words: expected"),
    ],
)
def test_bad_vocabularies_raise(make, match: str) -> None:
    with pytest.raises(DomainError, match=match):
        make()
