"""Roll-outs of the recurrent generator: every prefix of every sequence continued many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.kernels.rollout import LSTMWeights, lstm_rollout
from gancore.text.vocabulary import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["rollout"]

_WEIGHTS = (
    "embedding.weight",
    "cell.weight_ih_l0",
    "cell.weight_hh_l0",
    "cell.bias_ih_l0",
    "cell.bias_hh_l0",
    "head.weight",
    "head.bias",
)


@torch.no_grad()
def rollout(weights: Mapping[str, Tensor], tokens: Tensor, n: int, *, ends: bool, random: torch.Generator) -> Tensor:
    r"""Continue every prefix of sequences by a policy.

    .. math::
        Y^{(t, k)}_{1:T} = \bigl(y_{1:t},\; Y_{t+1:T} \sim G_\beta(\cdot \mid y_{1:t})\bigr),
        \qquad t = 1, \dots, T - 1,\; k = 1, \dots, n

    What follows an end is padding.

    Parameters
    ----------
    weights : mapping of str to Tensor
        The state of an :class:`~gancore.networks._lstm.LSTMGenerator`: the policy.
    tokens : Tensor of shape (batch, length)
    n : int
        Continuations of each prefix.
    ends : bool
        Whether token 0 ends a sequence.
    random : torch.Generator
        On the device of the tokens.

    Returns
    -------
    Tensor of shape (length - 1, batch, n, length)
        int64; row t - 1 keeps the first t tokens.
    """
    seed = int(torch.randint(2**62, (), generator=random, device=random.device))
    policy = LSTMWeights(*(weights[name].detach() for name in _WEIGHTS))
    found: Tensor = lstm_rollout(policy, tokens, n, start_token=END, seed=seed)
    return found.masked_fill((found == END).cumsum(-1) > 0, END) if ends else found
