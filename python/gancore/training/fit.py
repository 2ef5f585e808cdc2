"""What a critic is made of, held against what its objective and its penalties take it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from gancore.errors import IncompatibleChoiceError

if TYPE_CHECKING:
    from gancore.systems._interface import System

__all__ = ["require_fitting"]

_PASSED_OVER = (nn.Flatten, nn.Unflatten, nn.Identity)
"""Layers that change no value."""

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_fitting(critic: nn.Module, system: System) -> None:
    """Require a critic whose layers are what its family says, and whose output is what its objective reads.

    Families that come with gancore fit by construction; this is for those that users write.

    Raises
    ------
    IncompatibleChoiceError
        If the critic ends in a sigmoid, and the objective takes its raw output; if it has batch normalisation of which
        its family does not tell, so that penalties on single samples would be let through.
    """
    layers = [layer for layer in critic.modules() if not any(True for _ in layer.children())]
    ends = [layer for layer in layers if not isinstance(layer, _PASSED_OVER)][-1:]
    kind = system.objective.critic_kind
    if kind != "probability" and any(isinstance(layer, nn.Sigmoid | nn.LogSigmoid) for layer in ends):
        raise IncompatibleChoiceError(
            f"networks: the critic ends in {type(ends[0]).__name__}, and this objective takes its raw output "
            f"(critic_kind {kind!r}); leave the last layer out"
        )
    tied = [layer for layer in layers if isinstance(layer, _BATCH_NORMS)]
    if tied and system.networks.critic_norm != "batch":
        raise IncompatibleChoiceError(
            f"networks: the critic has {type(tied[0]).__name__}, and its family says critic_norm="
            f"{system.networks.critic_norm!r}; say 'batch', which penalties on single samples exclude, or take it out"
        )
