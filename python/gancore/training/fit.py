"""What networks give and are made of, held against what the data, objective and penalties take them for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from gancore._at_rest import at_rest, device_of
from gancore.errors import GancoreError, IncompatibleChoiceError
from gancore.training.randomness import isolated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gancore.systems._interface import System

__all__ = ["require_fitting"]

_PASSED_OVER = (nn.Flatten, nn.Unflatten, nn.Identity)
"""Layers that change no value."""

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_fitting(networks: Mapping[str, nn.Module], system: System, shape: tuple[int, ...]) -> None:
    """Require a generator of samples of this shape, and a critic that gives and is made of what its system says.

    Families that come with gancore fit by construction; this is for those that users write.

    Raises
    ------
    IncompatibleChoiceError
        If the generator takes no codes of the system's or makes samples of another shape, or the critic takes no such
        samples or gives another number of outputs. If the critic ends in a sigmoid, and the objective takes its raw
        output; if it has batch normalisation of which its family does not tell, so that penalties on single samples
        would be let through.
    """
    _require_made(networks["critic"], system)
    # Tokens are written one after the other, by other methods than a forward pass.
    if not system.networks.discrete:
        _require_shapes(networks["generator"], networks["critic"], system, shape)


def _require_shapes(generator: nn.Module, critic: nn.Module, system: System, shape: tuple[int, ...]) -> None:
    codes = torch.zeros(2, system.latent_dim, device=device_of(generator))
    outputs = system.objective.outputs
    # What networks draw for themselves must not change what the run draws.
    with at_rest(generator, critic), torch.no_grad(), isolated(0):
        samples = _tried(generator, codes, "generator", "codes")
        if samples.shape != (2, *shape):
            raise IncompatibleChoiceError(
                f"networks: the generator makes samples of shape {tuple(samples.shape[1:])}, and those of the data "
                f"have {shape}"
            )
        judged = _tried(critic, samples, "critic", "samples")
    if judged.shape != (2, outputs) and (outputs > 1 or judged.shape != (2,)):
        wanted = "(n,) or (n, 1)" if outputs == 1 else f"(n, {outputs})"
        raise IncompatibleChoiceError(
            f"networks: this objective takes {wanted} from the critic, which gives {tuple(judged.shape)} for n = 2"
        )


def _tried(network: nn.Module, given: Tensor, player: str, what: str) -> Tensor:
    try:
        made: Tensor = network(given)
    except GancoreError:
        raise
    except RuntimeError as error:
        raise IncompatibleChoiceError(
            f"networks: the {player} fails on {what} of shape {tuple(given.shape)}: {error}"
        ) from error
    return made


def _require_made(critic: nn.Module, system: System) -> None:
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
