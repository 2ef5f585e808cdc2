from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import ShapeError
from gancore.objectives.relativistic import Relativistic

OUTPUTS = st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=8)


@given(OUTPUTS, st.floats(-100, 100))
def test_only_differences_within_pairs_count(outputs: list[tuple[float, float]], shift: float) -> None:
    real, fake = torch.tensor(outputs, dtype=torch.float64).T
    for loss in (Relativistic().critic, Relativistic().generator):
        torch.testing.assert_close(loss(real, fake), loss(real + shift, fake + shift), rtol=1e-9, atol=1e-9)


@given(OUTPUTS)
def test_players_trade_places(outputs: list[tuple[float, float]]) -> None:
    """What the generator pays for (x, G) the critic pays for (G, x), and their difference is the mean gap."""
    real, fake = torch.tensor(outputs, dtype=torch.float64).T
    critic, generator = Relativistic().critic(real, fake), Relativistic().generator(real, fake)
    torch.testing.assert_close(generator, Relativistic().critic(fake, real))
    torch.testing.assert_close(generator - critic, (real - fake).mean())


def test_a_pair_is_judged_by_its_posterior() -> None:
    """-log P(the first is the real one), a logistic regression on the difference."""
    real, fake = torch.tensor([2.0]), torch.tensor([0.5])
    assert Relativistic().critic(real, fake).item() == pytest.approx(-torch.sigmoid(real - fake).log().item())


def test_batches_of_different_sizes_raise() -> None:
    with pytest.raises(ShapeError, match="fake"):
        Relativistic().critic(torch.zeros(3), torch.zeros(4))
