"""Every error and warning of gancore, in one place.

All errors derive from :class:`GancoreError`; each also is the built-in exception that a caller who does not know
gancore would catch. A message names the argument, what was expected and what was got.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "BackendError",
    "ConfigError",
    "ConvergenceError",
    "DTypeError",
    "DataError",
    "DivergedError",
    "DomainError",
    "GancoreError",
    "HealthWarning",
    "IncompatibleChoiceError",
    "InvalidInputError",
    "MissingExtraError",
    "NotPositiveDefiniteError",
    "NumericalError",
    "ProtocolError",
    "ProtocolWarning",
    "SampleSizeWarning",
    "SamplingWarning",
    "ShapeError",
    "TrainingError",
    "UnknownNameError",
]


class GancoreError(Exception):
    """Base of all errors that gancore raises on purpose."""


class InvalidInputError(GancoreError, ValueError):
    """An argument has a value that the function cannot work with."""


class ShapeError(InvalidInputError):
    """An array has the wrong number of axes, or lengths that do not fit each other."""


class DomainError(InvalidInputError):
    """A value lies outside the domain: nan, negative mass, a sum other than one, a setting out of range."""


class DataError(InvalidInputError):
    """A file or folder of data is missing, unreadable or not what its format promises."""


class ProtocolError(InvalidInputError):
    """Statistics or features that were made in different ways, so that no score of them means anything."""


class ProtocolWarning(UserWarning):
    """A score of statistics that do not tell how they were made: whether it means anything, only their maker knows."""


class SampleSizeWarning(UserWarning):
    """A score of fewer samples than its features need: it is biased, and compares only with one of as many."""


class HealthWarning(UserWarning):
    """A training run shows signs of an illness; the message says which, by which numbers, and what helps."""


class SamplingWarning(UserWarning):
    """Chains that stopped, or moved so little or so rashly that their samples mean less than they could."""


class DTypeError(GancoreError, TypeError):
    """An array has an element type, or an argument a kind, that the function does not take."""


class NumericalError(GancoreError, ArithmeticError):
    """A computation cannot be done to the promised accuracy."""


class ConvergenceError(NumericalError):
    """An iteration ended before it reached its tolerance."""


class NotPositiveDefiniteError(NumericalError):
    """A matrix that must be positive (semi-)definite is not."""


class ConfigError(GancoreError, ValueError):
    """Settings that cannot be used: an unknown key, a value out of range, a run of another system."""


class UnknownNameError(ConfigError):
    """A name that is not in the registry; the message proposes the nearest ones.

    Attributes
    ----------
    axis, name : str
        What was looked up, and under which name.
    suggestions : tuple of str
        The nearest names that exist, best first.
    """

    def __init__(self, axis: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        self.axis = axis
        self.name = name
        self.suggestions = tuple(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
        hint = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        message = f"unknown {axis} {name!r}; {hint or 'known: ' + ', '.join(known)}"
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class IncompatibleChoiceError(ConfigError):
    """Two choices that exclude each other; the message says why."""


class BackendError(GancoreError, RuntimeError):
    """The machine or an installed library cannot do what was asked: device, instruction set, gradient."""


class MissingExtraError(BackendError, ImportError):
    """An optional dependency is absent; the message names the extra that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed; install it with: pip install 'gancore[{extra}]'")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class TrainingError(GancoreError, RuntimeError):
    """A training run cannot go on."""


class DivergedError(TrainingError):
    """A loss became nan or infinite.

    Attributes
    ----------
    step : int
        The step at which it happened.
    term : str
        The loss that is not finite.
    last_finite : mapping of str to float
        The losses of the last step at which all were finite.
    """

    def __init__(self, step: int, term: str, last_finite: Mapping[str, float]) -> None:
        self.step = step
        self.term = term
        self.last_finite = dict(last_finite)
        seen = ", ".join(f"{name}={value:.6g}" for name, value in self.last_finite.items()) or "none"
        super().__init__(f"{term} became non-finite at step {step}; last finite losses: {seen}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[GancoreError], args: tuple[object, ...], state: dict[str, object]) -> GancoreError:
    """Restore an error whose constructor takes more than a message, as a worker process sends it."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
