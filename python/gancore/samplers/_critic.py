"""Critics as they come, read as logits: log p/q up to a slope and an offset."""

from __future__ import annotations

from torch import Tensor

from gancore.errors import DomainError, ShapeError, UnknownNameError

__all__ = ["as_logits", "check_output"]

_KINDS = ("logit", "probability", "hinge", "wasserstein")
_SATURATION = 1e-7


def as_logits(output: Tensor, kind: str) -> Tensor:
    """A critic's output, (n,) or (n, 1), as logits of shape (n,).

    A probability D becomes log D - log(1 - D), with D kept 1e-7 away from 0 and 1: a saturated critic gives a
    large finite logit, and no gradient. A Wasserstein critic is a potential of unknown scale and offset. A hinge
    critic is no log ratio either: its loss is least at d = sign(p - q), so that it ranks samples and says nothing of
    how much likelier one is than another. Both are taken as they are: calibrate them.

    Raises
    ------
    DomainError
        If a probability lies outside [0, 1].
    UnknownNameError
        If there is no such kind.
    """
    scores = output.reshape(-1)
    if kind == "probability":
        bounds = scores.detach().aminmax()
        if bounds.min < 0 or bounds.max > 1:
            raise DomainError(
                f"critic: expected probabilities in [0, 1], got values in [{bounds.min:g}, {bounds.max:g}]; "
                "if it returns logits, say critic_kind='logit'"
            )
        return scores.clamp(_SATURATION, 1 - _SATURATION).logit()
    if kind not in _KINDS:
        raise UnknownNameError("critic_kind", kind, _KINDS)
    return scores


def check_output(output: object, n: int) -> Tensor:
    """A critic's output for n samples, its shape checked."""
    if not isinstance(output, Tensor) or tuple(output.shape) not in ((n,), (n, 1)):
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ShapeError(f"critic: expected output of shape ({n},) or ({n}, 1) for {n} samples, got {got}")
    return output
