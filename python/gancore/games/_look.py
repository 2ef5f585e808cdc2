"""What a step asks of the critic, in one function, so that it can be compiled as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.regularizers._input_gradient import squared_gradient_norms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

__all__ = ["Seen", "look"]

Seen = tuple["Tensor", "Tensor", list["Tensor"]]
"""Outputs on real and on fake samples, and squared gradient norms at points, one tensor for each set of them."""


def look(critic: nn.Module, real: Tensor, fake: Tensor, points: Sequence[Tensor], *, together: bool) -> Seen:
    """Outputs on real and fake samples in float32, and squared gradient norms at each set of points.

    `together` passes real and fake samples through the critic as one batch: faster, and the same where the critic
    judges each sample alone.
    """
    if together and real.shape == fake.shape:
        on_real, on_fake = critic(torch.cat((real, fake))).chunk(2)
    else:
        on_real, on_fake = critic(real), critic(fake)
    return on_real.float(), on_fake.float(), [squared_gradient_norms(critic, x) for x in points]
