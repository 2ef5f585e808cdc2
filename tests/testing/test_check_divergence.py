"""The kit passes right divergences, and finds and shrinks subtly wrong ones."""

from __future__ import annotations

import functools
import math
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from scipy.spatial.distance import jensenshannon

from gancore import testing
from gancore.errors import ShapeError, UnknownNameError
from gancore.kernels import divergence

COMMON = ["non_negativity", "identity_of_indiscernibles", "joint_convexity", "data_processing", "permutation"]
METRIC = ["symmetry", "triangle_of_root"]
RIGHT = {
    "kl": [*COMMON, "pinsker"],
    "reverse_kl": [*COMMON, "pinsker"],
    "jensen_shannon": [*COMMON, "symmetry", "sandwich", "triangle_of_root"],
    "total_variation": [*COMMON, "symmetry", "triangle_of_root"],
    "chi_square": [*COMMON, "pinsker"],
    "neyman": [*COMMON, "pinsker"],
}
MORE = {
    # The root of a square obeys the triangle inequality: so do TV and the Hellinger distance themselves.
    "total variation, squared": (lambda p, q: divergence.total_variation(p, q) ** 2, METRIC),
    "Hellinger, squared": (lambda p, q: divergence.hellinger(p, q) ** 2, [*COMMON, *METRIC]),
    "alpha 0.3": (functools.partial(divergence.alpha_divergence, alpha=0.3), COMMON),
    "alpha -1": (functools.partial(divergence.alpha_divergence, alpha=-1), COMMON),
    "alpha 2.5": (functools.partial(divergence.alpha_divergence, alpha=2.5), COMMON),
    "Rényi 0.5": (functools.partial(divergence.renyi, alpha=0.5), COMMON),
    # Beyond order 1 it is not jointly convex (van Erven and Harremoës 2014, theorem 11).
    "Rényi 3": (functools.partial(divergence.renyi, alpha=3.0), [name for name in COMMON if name != "joint_convexity"]),
    **{
        f"f: {name}": (functools.partial(divergence.f_divergence, name=name), COMMON)
        for name in divergence.F_DIVERGENCES
        if name != "gan"
    },
    # Less its value at equality.
    "f: gan": (lambda p, q: divergence.f_divergence(p, q, "gan") + math.log(4), COMMON),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_divergences_obey_their_laws(name: str) -> None:
    testing.check_divergence(getattr(divergence, name), laws=RIGHT[name], max_examples=60)


@pytest.mark.parametrize("case", MORE)
def test_so_do_all_others(case: str) -> None:
    fn, laws = MORE[case]
    testing.check_divergence(fn, laws=laws, max_examples=40)


def test_torch_functions_are_called_with_tensors() -> None:
    def kl(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        assert isinstance(p, torch.Tensor)
        return divergence.kl(p, q)

    testing.check_divergence(kl, laws=["non_negativity"], arrays="torch", max_examples=20)


def kl_that_forgets_zero(p: np.ndarray, q: np.ndarray) -> float:
    return float((p * np.log(p / q)).sum())


def js_with_a_wrong_mixture(p: np.ndarray, q: np.ndarray) -> float:
    mean = 0.6 * p + 0.4 * q
    return 0.5 * divergence.kl(p, mean) + 0.5 * divergence.kl(q, mean)


WRONG = {
    "forgets 0 log 0": (kl_that_forgets_zero, "non_negativity"),
    "a wrong mixture": (js_with_a_wrong_mixture, "symmetry"),
    "not symmetric": (divergence.kl, "symmetry"),
    "no metric": (lambda p, q: divergence.total_variation(p, q) ** 4, "triangle_of_root"),
    "in bits": (lambda p, q: divergence.jensen_shannon(p, q, base=2), "sandwich"),
    "halved": (lambda p, q: divergence.kl(p, q) / 2, "pinsker"),
    "negative": (lambda p, q: float(((p - q) * q).sum()), "non_negativity"),
    "blind": (lambda p, q: abs(float(p[0] - q[0])), "permutation"),
    "squared norm": (lambda p, q: float(((p - q) ** 2).sum()), "data_processing"),
    "concave": (lambda p, q: divergence.total_variation(p, q) ** 0.5, "joint_convexity"),
}


@pytest.mark.parametrize("case", WRONG)
def test_subtly_wrong_ones_are_found_and_shrunk(case: str) -> None:
    fn, law = WRONG[case]
    with pytest.raises(testing.LawError, match=law) as caught:
        testing.check_divergence(fn, laws=[law])
    error = caught.value
    assert isinstance(error, AssertionError)
    assert error.law == law
    assert testing.LAWS[law].words in str(error)
    # What breaks data processing alone needs two outcomes to merge in each row.
    assert len(error.example["p"]) <= (5 if law == "data_processing" else 3)
    assert f"{error.left:.17g}" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_rival_is_judged() -> None:
    testing.check_divergence(lambda p, q: jensenshannon(p, q) ** 2, laws=["symmetry", "sandwich"], max_examples=60)

    def torch_kl(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.kl_div(q.log(), p, reduction="sum")

    with pytest.raises(testing.LawError, match="nan"):
        testing.check_divergence(torch_kl, laws=["non_negativity"], arrays="torch")


def test_names_and_answers_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="symmetry"):
        testing.check_divergence(divergence.kl, laws=["symmetri"])
    with pytest.raises(ShapeError, match="one number"):
        testing.check_divergence(lambda p, q: p - q, laws=["symmetry"])


@given(pair=testing.distribution_pairs(4), cost=testing.cost_matrices(2, 3), spd=testing.spd_matrices(3))
def test_strategies_give_what_they_say(pair: tuple[np.ndarray, np.ndarray], cost: np.ndarray, spd: np.ndarray) -> None:
    for row in pair:
        assert row.shape == (4,)
        assert row.min() >= 0
        assert row.sum() == pytest.approx(1)
    assert cost.shape == (2, 3)
    assert 0 <= cost.min() <= cost.max() <= 100
    np.testing.assert_array_equal(spd, spd.T)
    assert np.linalg.eigvalsh(spd)[0] >= 0.12


def test_the_documentation_runs() -> None:
    text = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/testing.md", "exec"), scope)  # noqa: S102
    assert "LAWS" in scope
