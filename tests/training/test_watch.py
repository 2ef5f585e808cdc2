from __future__ import annotations

import math

import pytest
import torch

from gancore.errors import DivergedError
from gancore.training.watch import LossWatch


def losses(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def test_a_look_gives_the_latest_losses() -> None:
    watch = LossWatch()
    assert watch.look() == {}
    watch.add(1, losses(critic=1.0, generator=2.0))
    watch.add(2, losses(critic=3.0, generator=4.0))
    assert watch.look() == watch.look() == {"critic": 3.0, "generator": 4.0}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_step_and_term_that_are_not_finite_are_told(bad: float) -> None:
    """Also where some terms come only now and then."""
    watch = LossWatch()
    watch.add(1, losses(critic=1.0, penalty=0.5, generator=2.0))
    watch.add(2, losses(critic=1.5, generator=2.5))
    watch.add(3, losses(critic=1.0, penalty=bad, generator=bad))
    watch.add(4, losses(critic=bad, generator=bad))
    with pytest.raises(DivergedError) as caught:
        watch.look()
    assert (caught.value.step, caught.value.term) == (3, "penalty")
    assert caught.value.last_finite == {"critic": 1.5, "generator": 2.5}


def test_losses_do_not_pile_up_unseen() -> None:
    watch = LossWatch()

    def go_on() -> None:
        for step in range(1, 2000):
            watch.add(step, losses(critic=math.nan))

    with pytest.raises(DivergedError, match="step 1;"):
        go_on()
