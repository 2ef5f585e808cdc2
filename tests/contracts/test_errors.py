"""Errors are documented, double as built-ins, travel between processes, and every Rust error can be met."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import gancore
from gancore import errors, registry
from gancore.kernels import frechet

PUBLIC = [getattr(errors, name) for name in errors.__all__]
ALL = [kind for kind in PUBLIC if not issubclass(kind, Warning)]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_ours_and_a_builtin(error: type[Exception]) -> None:
    assert issubclass(error, errors.GancoreError)
    assert error.__doc__
    if error is not errors.GancoreError:
        assert issubclass(error, (ValueError, TypeError, ArithmeticError, RuntimeError))


@pytest.mark.parametrize("kind", [kind for kind in PUBLIC if issubclass(kind, Warning)])
def test_every_warning_is_shown_to_users(kind: type[Warning]) -> None:
    assert issubclass(kind, UserWarning)
    assert kind.__doc__


@pytest.mark.parametrize(
    "error",
    [
        errors.ShapeError("`x` must have shape (n,)"),
        errors.UnknownNameError("system", "wgan", ["wgan_gp"]),
        errors.MissingExtraError("torch", "train"),
        errors.DivergedError(3, "critic", {"critic": 0.5}),
    ],
)
def test_errors_survive_the_way_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_unknown_names_propose_the_nearest() -> None:
    with pytest.raises(errors.UnknownNameError, match="did you mean 'wgan_gp'") as caught:
        registry.get("systems", "wgan_pg")
    assert caught.value.suggestions[0] == "wgan_gp"
    assert isinstance(caught.value, ValueError)


def test_a_matrix_that_is_not_positive_is_named() -> None:
    with pytest.raises(errors.NotPositiveDefiniteError, match="`a`"):
        frechet.trace_sqrt_product(np.diag([1.0, -1.0]), np.eye(2))


@pytest.mark.parametrize(
    ("variable", "value"), [("GANCORE_NUM_THREADS", "many"), ("GANCORE_NUM_THREADS", "0"), ("GANCORE_ISA", "sse9")]
)
def test_settings_of_the_environment_are_checked_at_import(variable: str, value: str) -> None:
    code = "try:\n  import gancore\nexcept ValueError as e: print(type(e).__name__, e)"
    environment = os.environ | {variable: value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"ConfigError {variable} must be")


def test_an_instruction_set_the_machine_lacks_is_refused() -> None:
    if gancore.build_info()["instruction_set"] == "v4":
        pytest.skip("this machine has them all")
    code = "try:\n  import gancore\nexcept RuntimeError as e: print(type(e).__name__, e)"
    environment = os.environ | {"GANCORE_ISA": "v4"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("BackendError this machine cannot run the instruction set v4")


def test_zero_threads_are_refused() -> None:
    with pytest.raises(errors.DomainError, match="`threads` must be at least 1"):
        gancore.set_num_threads(0)
