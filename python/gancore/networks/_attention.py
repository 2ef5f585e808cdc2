"""Self-attention over the places of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, scaled_dot_product_attention

__all__ = ["SelfAttention"]


class SelfAttention(nn.Module):
    r"""A weighted mean of all places added to each, with a weight that starts at zero.

    .. math::
        y_j = x_j + \gamma\, W_v \sum_i \beta_{ji} W_h x_i, \qquad \beta_{ji} = \mathrm{softmax}_i\,
        \langle W_f x_i, W_g x_j \rangle

    Keys and values come from 2 x 2 maxima where the sides allow it, as in the authors' code. H. Zhang et al.,
    "Self-Attention Generative Adversarial Networks", ICML 2019, equations 1 to 3.

    Parameters
    ----------
    channels : int
        Channels of the image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to the same."""
        keys, values = self.key(x), self.value(x)
        if x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0:
            keys, values = max_pool2d(keys, 2), max_pool2d(values, 2)
        query, key, value = (part.flatten(2).transpose(1, 2) for part in (self.query(x), keys, values))
        mixed = scaled_dot_product_attention(query, key, value, scale=1.0)
        places = mixed.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
        out: Tensor = x + self.gamma * self.out(places)
        return out
