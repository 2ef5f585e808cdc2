from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gancore.datasets import as_data, load
from gancore.datasets.text import Tokens, text
from gancore.errors import DataError, DomainError, DTypeError, IncompatibleChoiceError, ShapeError
from gancore.text import Vocabulary


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "lines.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_tenth_line_is_for_tests_and_both_parts_fit_the_same_networks(tmp_path: Path) -> None:
    path = written(tmp_path, "".join(f"{'w ' * (k % 4)}line {k}\n" for k in range(25)))
    train, test = load(path), load(path, split="test")
    assert (len(train), len(test)) == (23, 2)
    assert train.shape == test.shape == (5, len(train.vocabulary))
    assert train.vocabulary == test.vocabulary
    decode = train.vocabulary.decode
    assert [decode(row) for row in test.batch(torch.arange(2)).tolist()] == ["w line 9", "w w w line 19"]
    assert decode(train.batch(torch.tensor([9]))[0].tolist()) == "w w line 10"


def test_lines_are_filled_up_with_ends(tmp_path: Path) -> None:
    batch = text(written(tmp_path, b"\xef\xbb\xbfb a\r\nb\r\n"), vocabulary="words").batch(torch.arange(2))
    assert batch.dtype == torch.int64
    assert batch.tolist() == [[1, 2], [1, 0]]


def test_characters_and_given_vocabularies(tmp_path: Path) -> None:
    path = written(tmp_path, "ab\nba")
    assert load(path, vocabulary="characters").shape == (2, 3)
    given = Vocabulary.build(["x ab ba"])
    data = text(path, vocabulary=given)
    assert data.vocabulary is given
    assert data.batch(torch.arange(2)).tolist() == [given.encode("ab"), given.encode("ba")]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"good\nbad \xff here\n", r"lines\.txt: line 2: expected UTF-8, got byte 0xff at position 5"),
        (b"good\n\nafter\n", r"lines\.txt: line 2: expected a sequence, got an empty line"),
        (b"good\n  \t\n", r"lines\.txt: line 2: .*empty line"),
        (b"", r"lines\.txt: expected at least one line"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, content: bytes, match: str) -> None:
    with pytest.raises(DataError, match=match):
        load(written(tmp_path, content))


def test_words_that_a_given_vocabulary_lacks_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lines\.txt: line 3: 'c' is not in the vocabulary"):
        text(written(tmp_path, "a\nb\nc\n"), vocabulary=Vocabulary.build(["a b"]))


def test_what_text_does_not_have_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "a\nb\n")
    with pytest.raises(DataError, match="no test part, for there are only 2 lines"):
        load(path, split="test")
    with pytest.raises(IncompatibleChoiceError, match="holds text, not images"):
        load(path, image_size=8)
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "absent.txt")
    with pytest.raises(DomainError, match=r"vocabulary: .*'bytes'"):
        load(path, vocabulary="bytes")
    with pytest.raises(DomainError, match=r"split: .*'dev'"):
        text(path, split="dev")


@pytest.mark.parametrize(
    ("ids", "error", "match"),
    [
        (torch.tensor([[0, 1], [2, 5]]), DomainError, r"ids\[1, 1\]: expected 0 to 4, got 5"),
        (torch.tensor([[0, -1]]), DomainError, r"ids\[0, 1\]: expected 0 to 4, got -1"),
        (torch.zeros(2, 3), DTypeError, "float32"),
        (torch.zeros(3, dtype=torch.int64), ShapeError, r"\(3,\)"),
        (torch.zeros(3, 0, dtype=torch.int64), ShapeError, r"\(3, 0\)"),
    ],
)
def test_bad_ids_are_named(ids: torch.Tensor, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Tokens(ids, size=5)


def test_sentences_of_padding_alone_are_named() -> None:
    ids = torch.tensor([[1, 0], [0, 0]])
    with pytest.raises(DomainError, match=r"ids\[1\]: expected a word before the end, got padding alone"):
        Tokens(ids, size=2, vocabulary=Vocabulary(("<end>", "a")))
    assert len(Tokens(ids, size=2)) == 2, "without a vocabulary, 0 is a token like the others"


def test_tokens_are_data_of_their_own_kind() -> None:
    data = as_data(Tokens(torch.tensor([[3, 1], [0, 2]]), size=4, name="mine"))
    assert (data.kind, data.shape, data.name, len(data), data.labels) == ("tokens", (2, 4), "mine", 2, None)


def test_real_captions_and_poems(data_root: Path) -> None:
    captions = load(data_root / "text" / "image_coco.txt")
    assert len(captions) == 9000
    assert captions.vocabulary.decode(captions.batch(torch.tensor([0]))[0].tolist()).startswith("a bicycle replica")
    assert load(data_root / "text" / "chinese_quatrains_shi.txt").shape[0] == 24
