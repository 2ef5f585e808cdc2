"""Look for an example on which a divergence breaks one of its laws, and show the smallest one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from gancore._extras import require
from gancore.errors import GancoreError, ShapeError, UnknownNameError
from gancore.testing.laws import LAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from gancore.testing.laws import Comparison, Law

__all__ = ["LawError", "check_divergence"]


class LawError(GancoreError, AssertionError):
    """A divergence breaks a law.

    Attributes
    ----------
    law : str
        Name of the law.
    example : dict
        The shrunk example, by the names that the law's words use.
    left, right : float
        Both sides of what does not hold.
    """

    def __init__(self, law: str, example: Mapping[str, Any], left: float, relation: str, right: float) -> None:
        self.law = law
        self.example = dict(example)
        self.left = left
        self.right = right
        shown = "\n".join(f"  {name} = {_shown(value)}" for name, value in self.example.items())
        super().__init__(
            f"{law} does not hold: {LAWS[law].words}\n{shown}\nhere {left:.17g} {relation} {right:.17g} was expected"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.args, self.__dict__)


def check_divergence(
    fn: Callable[[Any, Any], Any],
    laws: Sequence[str],
    *,
    arrays: Literal["numpy", "torch"] = "numpy",
    max_examples: int = 200,
    tolerance: float = 1e-9,
) -> None:
    """Verify that a function of two distributions obeys laws, on examples with empty outcomes among them.

    Parameters
    ----------
    fn : callable
        Takes p and q of shape (k,), float64, and returns one number.
    laws : sequence of str
        Names from :data:`LAWS`: non_negativity, identity_of_indiscernibles, symmetry, joint_convexity,
        data_processing, pinsker, sandwich, triangle_of_root, permutation. Give those that the divergence should obey.
    arrays : {"numpy", "torch"}, default "numpy"
        What the function is called with.
    max_examples : int, default 200
        How many examples are tried for each law; always the same ones.
    tolerance : float, default 1e-9
        By how much a law may be missed, times the larger of 1 and the numbers compared.

    Raises
    ------
    LawError
        If a law does not hold (nan holds nowhere): the law in words, the shrunk example, and both numbers.
    UnknownNameError
        If there is no such law.
    ShapeError
        If the function returns something other than one number.

    Examples
    --------
    >>> from gancore.kernels.divergence import jensen_shannon
    >>> check_divergence(jensen_shannon, laws=["non_negativity", "symmetry", "triangle_of_root"])
    """
    for name in laws:
        if name not in LAWS:
            raise UnknownNameError("law", name, LAWS)
    scalar = _scalar(fn, torch=arrays == "torch")
    for name in laws:
        _check(LAWS[name], scalar, max_examples, tolerance)


def _check(law: Law, fn: Callable[..., float], max_examples: int, tolerance: float) -> None:
    def broken(example: dict[str, Any]) -> Comparison | None:
        return next((asked for asked in law.ask(fn, example) if not asked.holds(tolerance)), None)

    examples = st.integers(2, 5).flatmap(st.composite(law.example))
    chosen = settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        example = find(examples, lambda e: broken(e) is not None, settings=chosen)
    except NoSuchExample:
        return
    asked = broken(example)
    if asked is not None:
        raise LawError(law.name, example, asked.left, asked.relation, asked.right)


def _scalar(fn: Callable[[Any, Any], Any], *, torch: bool) -> Callable[..., float]:
    wrap = require("torch", extra="torch").tensor if torch else np.array

    def scalar(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
        # A number that is nan or infinite is an answer; what NumPy says on the way is not the law's concern.
        with np.errstate(all="ignore"):
            value = np.asarray(fn(wrap(p), wrap(q)), dtype=np.float64)
        if value.size != 1:
            raise ShapeError(f"`fn` must return one number for p and q of shape {p.shape}; got shape {value.shape}")
        return float(value.item())

    return scalar


def _shown(value: Any) -> str:
    return np.array2string(value, separator=", ") if isinstance(value, np.ndarray) else repr(value)


def _rebuild(args: tuple[object, ...], state: dict[str, object]) -> LawError:
    error = LawError.__new__(LawError, *args)
    error.args = args
    error.__dict__.update(state)
    return error
