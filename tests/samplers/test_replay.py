"""Persistent chains: what is kept, what begins afresh, and that learning from them finds the data."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gancore.errors import DomainError, DTypeError, SamplingWarning, ShapeError, UnknownNameError
from gancore.samplers import ReplayBuffer


def narrow(x: Tensor) -> Tensor:
    """N(0, 1/16) in each coordinate."""
    return 8 * x.square().sum(dim=1)


def flat(x: Tensor) -> Tensor:
    return 0 * x.sum(dim=1)


def test_chains_persist_until_they_have_forgotten_where_they_began() -> None:
    """Five steps do not reach the target from far away; a dozen rounds of them do, but for Euler's bias."""
    buffer = ReplayBuffer(2000, 2, renewal=0.0, initial=lambda u: u + 20)
    settings = {"steps": 5, "step_size": 0.02}
    first = buffer.advance(narrow, 2000, **settings).x
    assert first.mean() > 2
    for _ in range(12):
        last = buffer.advance(narrow, 2000, **settings).x
    assert last.double().mean().item() == pytest.approx(0, abs=4 * 0.3 / math.sqrt(4000))
    assert last.double().var().item() == pytest.approx(1 / 16 / (1 - 0.02 * 8), rel=4 * math.sqrt(2 / 4000))


def test_a_share_begins_afresh_and_the_others_stay() -> None:
    buffer = ReplayBuffer(4000, 1, renewal=0.2, initial="uniform")
    buffer.states[:] = 50.0
    moved = buffer.advance(flat, 4000, steps=1, step_size=1e-6).x[:, 0]
    share = (moved < 25).double().mean().item()
    assert share == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 4000))
    assert (moved[moved < 25].abs() < 1.1).all()
    assert ((buffer.states[:, 0] < 25).double().mean().item()) == share


def test_no_chain_is_picked_twice_and_no_noise_is_used_twice() -> None:
    buffer = ReplayBuffer(50, 1, renewal=0.0, initial=lambda u: 100 * torch.arange(len(u))[:, None].float())
    places = [(buffer.advance(flat, 20, steps=1, step_size=1e-4).x[:, 0] / 100).round() for _ in range(30)]
    assert all(len(set(rows.tolist())) == 20 for rows in places)
    assert len({int(x) for rows in places for x in rows}) == 50
    one = ReplayBuffer(3, 1, renewal=0.0, initial=lambda u: 0 * u)
    walk = [one.advance(flat, 3, steps=2, step_size=0.5).x.clone() for _ in range(3)]
    assert not torch.equal(walk[1], 2 * walk[0])


def test_a_restored_buffer_goes_on_bit_for_bit() -> None:
    settings = {"steps": 3, "step_size": 0.01}

    def made() -> ReplayBuffer:
        return ReplayBuffer(30, 2, renewal=0.3, seed=5)

    whole = made()
    ends = [whole.advance(narrow, 10, **settings).x for _ in range(6)]
    half = made()
    for _ in range(3):
        half.advance(narrow, 10, **settings)
    state = half.state_dict()
    half.advance(narrow, 10, **settings)
    rest = made()
    rest.load_state_dict(state)
    for expected in ends[3:]:
        assert torch.equal(rest.advance(narrow, 10, **settings).x, expected)
    assert torch.equal(rest.states, whole.states)


def test_a_chain_that_stopped_begins_afresh() -> None:
    def walled(x: Tensor) -> Tensor:
        return flat(x) + torch.where(x[:, 0] > 3, torch.nan, 0.0)

    buffer = ReplayBuffer(10, 1, renewal=0.0, initial="uniform")
    buffer.states[4] = 2.9999
    with pytest.warns(SamplingWarning, match="in 1 of 10 chains"):
        buffer.advance(lambda x: walled(x) - 5000 * (x[:, 0] > 2) * x[:, 0], 10, steps=3, step_size=1e-4)
    buffer.advance(flat, 10, steps=1, step_size=1e-6)
    assert (buffer.states.abs() < 1.2).all()


def test_learning_from_persistent_negatives_finds_the_precision_of_the_data() -> None:
    """E = a x^2 / 2; the gradient of the likelihood in a is (E data x^2 - E model x^2) / 2, zero at a = 1 / var."""
    data = 0.5 * torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    log_a = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([log_a], lr=0.05)
    buffer = ReplayBuffer(1000, 1, seed=1)
    tail = []
    for step in range(200):
        negatives = buffer.advance(
            lambda x: log_a.exp() / 2 * x[:, 0].square(), 500, steps=5, step_size=0.05, metropolis=True
        ).x
        loss = log_a.exp() / 2 * (data.square().mean() - negatives.square().mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= 120:
            tail.append(log_a.exp().item())
    # A twentieth of the chains begins at N(0, 1) each time, which widens the negatives a little.
    assert sum(tail) / len(tail) == pytest.approx(1 / data.var().item(), rel=0.12)


def test_what_makes_no_sense() -> None:
    buffer = ReplayBuffer(10, 2)
    for call, error, match in (
        (lambda: ReplayBuffer(0, 2), DomainError, "capacity"),
        (lambda: ReplayBuffer(5, 2, renewal=1.5), DomainError, "renewal"),
        (lambda: ReplayBuffer(5, 2, initial="cauchy"), UnknownNameError, "initial"),
        (lambda: ReplayBuffer(5, 2, initial=lambda u: u[:, :1]), ShapeError, "initial"),
        (lambda: buffer.advance(narrow, 11, steps=1, step_size=0.1), DomainError, "capacity 10"),
        (lambda: buffer.load_state_dict({}), DTypeError, "state_dict"),
        (lambda: buffer.load_state_dict(ReplayBuffer(9, 2).state_dict()), ShapeError, "state"),
    ):
        with pytest.raises(error, match=match):
            call()
