"""Tokens drawn from logits against NumPy's masses and SciPy's chi-square test, and the torch twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import gancore
from gancore.errors import BackendError, DomainError, DTypeError, ShapeError
from gancore.kernels._torch import rollout as twin
from gancore.kernels.rollout import sample_categorical


def masses(logits: np.ndarray, temperature: float = 1.0, top_k: int | None = None) -> np.ndarray:
    wide = logits.astype(np.float64)
    if top_k is not None:
        wide = np.where(wide < np.sort(wide, -1)[..., -top_k, None], -np.inf, wide)
    weights = np.exp((wide - wide.max(-1, keepdims=True)) / temperature)
    return weights / weights.sum(-1, keepdims=True)


@given(
    st.integers(1, 400), st.integers(1, 5), st.floats(0.3, 3.0), st.one_of(st.none(), st.integers(1, 9)), st.booleans()
)
def test_a_token_covers_the_number_it_was_drawn_at(
    vocabulary: int, rows: int, temperature: float, top_k: int | None, short: bool
) -> None:
    rng = np.random.default_rng(vocabulary * rows)
    logits = (4 * rng.standard_normal((rows, vocabulary))).astype(np.float32 if short else np.float64)
    uniforms = rng.random(rows)
    top_k = None if top_k is None else min(top_k, vocabulary)
    law = {"temperature": temperature, "top_k": top_k, "seed": 0, "step": 0}
    tokens = sample_categorical(logits, uniforms=uniforms, **law)
    exact = masses(logits, temperature, top_k)
    last = np.take_along_axis(exact.cumsum(-1), tokens[:, None], -1)[:, 0]
    first = last - np.take_along_axis(exact, tokens[:, None], -1)[:, 0]
    slack = 3e-6 if short else 1e-13
    assert (first - slack <= uniforms).all()
    assert (uniforms <= last + slack).all()
    assert (np.take_along_axis(exact, tokens[:, None], -1) > 0).all()


@pytest.mark.parametrize("law", [{}, {"temperature": 0.5}, {"temperature": 2.0, "top_k": 7}])
def test_the_law_passes_a_chi_square_test(law: dict[str, float]) -> None:
    logits = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    n = 200_000
    tokens = sample_categorical(np.broadcast_to(logits, (n, 50)), seed=1, step=2, **law)
    expected = n * masses(logits, **law)
    counts = np.bincount(tokens, minlength=50)
    held = expected > 0
    assert not counts[~held].any()
    assert stats.chisquare(counts[held], expected[held]).pvalue > 1e-4


def test_steps_rows_and_seeds_draw_apart_and_parts_draw_as_the_whole() -> None:
    logits = np.zeros((2000, 1000), np.float32)
    draws = [sample_categorical(logits, seed=seed, step=step) for seed in (0, 1) for step in (0, 1)]
    for i, first in enumerate(draws):
        for second in draws[i + 1 :]:
            assert (first == second).mean() < 0.01
    part = sample_categorical(logits[700:], seed=0, step=0, first_row=700)
    np.testing.assert_array_equal(part, draws[0][700:])
    before = gancore.num_threads()
    gancore.set_num_threads(3)
    try:
        np.testing.assert_array_equal(sample_categorical(logits, seed=0, step=0), draws[0])
    finally:
        gancore.set_num_threads(before)


def test_a_far_tail_of_float32_logits_stays_possible() -> None:
    logits = np.zeros((1, 5000), np.float32)
    logits[0, 1:] = np.log(1e-13)  # each is lost in a float32 sum that has reached 1
    total = 1 + 4999e-13
    tokens = [sample_categorical(logits, seed=0, step=0, uniforms=np.array([u]))[0] for u in (0.5, 1 - 1e-15)]
    assert tokens[0] == 0
    assert tokens[1] > 4900
    middle = (1 + 2500e-13) / total
    assert abs(sample_categorical(logits, seed=0, step=0, uniforms=np.array([middle]))[0] - 2500) < 20


def test_tensors_give_tensors_and_the_twin_the_same_tokens() -> None:
    logits = torch.randn(6, 50, 300, generator=torch.Generator().manual_seed(0))
    ours = sample_categorical(logits.requires_grad_(), seed=5, step=7, temperature=0.7, top_k=40)
    assert ours.dtype == torch.int64
    assert ours.shape == (6, 50)
    again = twin.sample_categorical(logits.detach(), None, law=(0.7, 40), counter=(5, 7, 0))
    assert (again == ours).float().mean() > 0.99
    uniforms = torch.rand(6, 50, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    given = twin.sample_categorical(logits.detach().double(), uniforms, law=(1.0, None), counter=(0, 0, 0))
    wide = logits.detach().double()
    torch.testing.assert_close(given, sample_categorical(wide, seed=0, step=0, uniforms=uniforms), rtol=0, atol=0)
    assert isinstance(sample_categorical([0.0, 1.0], seed=0, step=0), int)


@pytest.mark.parametrize("answer", ["compiled", "twin"])
def test_strange_rows_are_named(answer: str) -> None:
    def draw(*rows: list[float]) -> object:
        logits = torch.tensor(rows)
        if answer == "twin":
            return twin.sample_categorical(logits, None, law=(1.0, None), counter=(0, 0, 0))
        return sample_categorical(logits, seed=0, step=0)

    fine, inf = [0.0, 1.0], float("inf")
    with pytest.raises(DomainError, match=r"`logits` must be finite or -inf.*nan in row 1"):
        draw(fine, [0.0, float("nan")])
    with pytest.raises(DomainError, match="got inf in row 2"):
        draw(fine, fine, [0.0, inf])
    with pytest.raises(DomainError, match="only -inf in row 1"):
        draw(fine, [-inf, -inf])


def test_settings_and_shapes_are_checked() -> None:
    logits = np.zeros((2, 3))
    for wrong, name in (({"temperature": 0.0}, "temperature"), ({"top_k": 0}, "top_k"), ({"seed": -1}, "seed")):
        with pytest.raises(DomainError, match=name):
            sample_categorical(logits, **({"seed": 0, "step": 0} | wrong))
    with pytest.raises(DomainError, match="`uniforms` must be at least 0 and below 1; got 1 in row 1"):
        sample_categorical(logits, seed=0, step=0, uniforms=np.array([0.0, 1.0]))
    with pytest.raises(ShapeError, match=r"`uniforms` must have shape \(2,\)"):
        sample_categorical(logits, seed=0, step=0, uniforms=np.zeros(3))
    with pytest.raises(ShapeError, match="V at least 1"):
        sample_categorical(np.zeros((2, 0)), seed=0, step=0)
    with pytest.raises(DTypeError, match="`logits`"):
        sample_categorical(np.zeros((2, 3), np.complex64), seed=0, step=0)
    with pytest.raises((DTypeError, BackendError)):
        sample_categorical(torch.zeros(2, 3), seed=0, step=0, uniforms=np.zeros(2))


@pytest.mark.gpu
def test_on_a_gpu_the_same_numbers_give_the_same_tokens() -> None:
    logits = torch.randn(500, 5000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    on_gpu = sample_categorical(logits.cuda(), seed=1, step=2)
    assert on_gpu.is_cuda
    assert (on_gpu.cpu() == sample_categorical(logits, seed=1, step=2)).float().mean() > 0.999
