from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gancore import systems
from gancore.cli._settings import coerced, described
from gancore.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from nowhere import Thing


def settable(
    first: object,
    *,
    whole: int = 1,
    real: float = 0.5,
    switch: bool = False,
    word: str = "a",
    maybe: float | None = None,
    old: Optional[int] = 3,  # noqa: UP045
    choice: Literal["none", "two", 3] = "two",
    auto: float | Literal["auto"] = "auto",
    anything: Any = None,
    unresolvable: Thing | None = None,
) -> None:
    """Something with one argument of each type."""


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("whole=-3", -3),
        ("real=3", 3.0),
        ("real=1e-4", 1e-4),
        ("switch=true", True),
        ("switch=No", False),
        ("word=none", "none"),
        ("word=a=b", "a=b"),
        ("maybe=none", None),
        ("maybe=None", None),
        ("maybe=0.1", 0.1),
        ("old=7", 7),
        ("old=null", None),
        ("choice=none", "none"),
        ("choice=3", 3),
        ("auto=auto", "auto"),
        ("auto=0.5", 0.5),
        ("anything=none", None),
        ("anything=digits", "digits"),
        (" whole = 4 ", 4),
    ],
)
def test_text_becomes_what_the_signature_says(pair: str, value: object) -> None:
    ((_, found),) = coerced([pair], settable).items()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["whole=1.5"], "--set whole: expected int, got '1.5'"),
        (["whole=true"], "expected int"),
        (["switch=2"], "expected true or false"),
        (["maybe=off"], "expected float or none"),
        (["choice=four"], "expected 'none' or 'two' or 3, got 'four'"),
        (["whole"], "expected KEY=VALUE, got 'whole'"),
        (["=1"], "expected KEY=VALUE"),
        (["whole=1", "whole=2"], "whole is given twice"),
    ],
)
def test_what_does_not_fit_is_named(pairs: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        coerced(pairs, settable)
    assert said in str(caught.value)


def test_only_what_can_be_set_is_known() -> None:
    for key in ("wohle", "first", "taken"):
        with pytest.raises(UnknownNameError, match="unknown settable setting"):
            coerced([f"{key}=1"], settable, taken=("taken",))
    with pytest.raises(UnknownNameError, match="did you mean 'whole'"):
        coerced(["wohle=1"], settable)


@given(st.integers(), st.floats(allow_nan=False))
def test_every_number_survives_the_way_through_text(whole: int, real: float) -> None:
    assert coerced([f"whole={whole}", f"real={real!r}"], settable) == {"whole": whole, "real": real}


@pytest.mark.parametrize("name", systems.names())
def test_the_described_defaults_of_a_recipe_are_its_defaults(name: str) -> None:
    recipe = systems.get(name)
    pairs = [f"{key}={default}" for key, _, default in described(recipe)]
    assert recipe(**coerced(pairs, recipe)) == recipe()
