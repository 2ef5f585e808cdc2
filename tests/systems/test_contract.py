"""What every registered system must do; a new file is tested because it exists."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING

import pytest
import torch

from gancore import registry, systems
from gancore.errors import ConfigError, GancoreError, IncompatibleChoiceError
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from gancore.systems import System

NAMES = systems.names()
SHAPES = ((2,), (1, 8, 8), (3, 12, 16), (5, 7))
"""Points, images, and sequences of five tokens out of seven."""


def parameters(name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(systems.get(name)).parameters)


def numeric_choices() -> list[tuple[str, str]]:
    return [
        (name, key)
        for name in NAMES
        for key, parameter in parameters(name).items()
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool)
    ]


def small(name: str, **choices: object) -> System:
    return systems.get(name)(**{"width": 4, "batch_size": 6} | choices)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_says_what_it_is(name: str) -> None:
    system = systems.get(name)()
    assert system.name == name
    assert system.reference.startswith("@")
    text = system.explain()
    assert registry.describe("systems", name) in text
    assert system.reference in text
    assert all(equation in text for equation in system.objective.equations)
    assert all(regularizer.reference in text for regularizer in system.regularizers)


def test_choices_have_names_types_and_defaults(name: str) -> None:
    for parameter in parameters(name).values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty
        assert parameter.annotation is not inspect.Parameter.empty
    documented = inspect.getdoc(systems.get(name)) or ""
    assert all(re.search(rf"^[\w, ]*\b{key}\b[\w, ]* : ", documented, re.MULTILINE) for key in parameters(name))


def test_choices_go_through_json_and_build_the_same_system(name: str) -> None:
    system = systems.get(name)(batch_size=7)
    assert system.choices["batch_size"] == 7
    assert system.choices.keys() == parameters(name).keys()
    assert systems.get(name)(**json.loads(json.dumps(system.choices))) == system


def test_recipe_tells_systems_apart(name: str) -> None:
    assert systems.get(name)().recipe() == systems.get(name)().recipe()
    for key, parameter in parameters(name).items():
        if isinstance(parameter.default, float):
            changed = systems.get(name)(**{key: parameter.default / 2 or 0.25})
            assert changed.recipe() != systems.get(name)().recipe(), key


def test_unknown_choice_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: unknown choice 'batch_sise'; did you mean 'batch_size'"):
        systems.get(name)(batch_sise=3)


@pytest.mark.parametrize(("name", "key"), numeric_choices())
def test_numbers_out_of_range_and_other_things_raise(name: str, key: str) -> None:
    with pytest.raises(GancoreError):
        systems.get(name)(**{key: -1})
    with pytest.raises(ConfigError, match=rf"{name}: {key}: expected (int|float).*, got 'abc'"):
        systems.get(name)(**{key: "abc"})


@pytest.mark.parametrize("shape", SHAPES)
def test_plays_on_every_shape_that_some_networks_of_it_make(name: str, shape: tuple[int, ...]) -> None:
    choices = parameters(name)["networks"].default if "networks" in parameters(name) else None
    options = [{"networks": networks} for networks in registry.names("networks")] if choices else [{}]
    real = torch.zeros(6, 5, dtype=torch.int64) if len(shape) == 2 else torch.zeros(6, *shape)
    played = 0
    for option in options:
        try:
            system = small(name, **option).fitted(shape)
            state = TrainingState.create(system, shape, seed=0, device=torch.device("cpu"), precision="float32")
        except IncompatibleChoiceError:
            continue
        before = [p.clone() for network in state.networks.values() for p in network.parameters()]
        losses = system.game.turn(state, lambda: real)
        after = [p for network in state.networks.values() for p in network.parameters()]
        assert all(loss.isfinite() for loss in losses.values())
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
        played += 1
    assert played or "networks" not in parameters(name) or len(shape) == 2


def test_some_shape_can_be_played(name: str) -> None:
    def playable(shape: tuple[int, ...]) -> bool:
        try:
            TrainingState.create(
                small(name).fitted(shape), shape, seed=0, device=torch.device("cpu"), precision="float32"
            )
        except IncompatibleChoiceError:
            return False
        return True

    assert any(map(playable, SHAPES))
