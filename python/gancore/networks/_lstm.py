"""A recurrent generator of sequences: every sample is a function of one normal number a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn
from torch.nn.functional import linear

from gancore.text.vocabulary import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["LSTMGenerator", "draw", "mask_of", "step"]

_INITIAL_STD = 0.1


@final
class LSTMGenerator(nn.Module):
    r"""Embedding, one LSTM layer, a linear head: a law over sequences that gives log-probabilities.

    .. math::
        G(y) = \prod_t G(y_t \mid y_{<t}), \qquad h_t = \mathrm{LSTM}(h_{t-1}, E y_{t-1}), \qquad
        G(\cdot \mid y_{<t}) = \mathrm{softmax}(W h_t + b)

    with y_0 the start token, fed always, and h_0 = 0. As a map from codes, token t is the inverse of its distribution
    function at :math:`\Phi(z_t)`, so that z ~ N(0, I) gives samples of the law.

    Parameters
    ----------
    size, length : int
        How many token ids there are, and how long sequences are.
    embedding, width : int
        Widths of the embedding and of the LSTM.
    ends : bool
        Whether token 0 ends a sequence, so that all after it is padding; else it is a token like the others.
    """

    def __init__(self, size: int, length: int, *, embedding: int, width: int, ends: bool) -> None:
        super().__init__()
        self.size, self.length, self.ends = size, length, ends
        self.embedding = nn.Embedding(size, embedding)
        self.cell = nn.LSTM(embedding, width, batch_first=True)
        self.head = nn.Linear(width, size)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=_INITIAL_STD)

    def forward(self, z: Tensor) -> Tensor:
        """Codes (n, length) to tokens (n, length)."""
        with torch.no_grad():
            return sample(self.state_dict(), torch.special.ndtr(z.double()), ends=self.ends)

    def logits(self, tokens: Tensor) -> Tensor:
        """What is said of each next token: (n, length, size), row t from the start token and tokens before t."""
        hidden, _ = self.cell(self.embedding(_shifted(tokens)))
        said: Tensor = self.head(hidden)
        return said

    def log_probs(self, tokens: Tensor) -> Tensor:
        """Log-probability of each token given those before it: (n, length), 0 for padding."""
        said = self.logits(tokens).float().log_softmax(-1)
        chosen = said.gather(-1, tokens[..., None])[..., 0]
        return chosen * self.mask(tokens)

    def mask(self, tokens: Tensor) -> Tensor:
        """1 for every token that was chosen, the first end included, and 0 for padding: float32 (n, length)."""
        return mask_of(tokens, ends=self.ends)

    def relaxed(self, noise: Tensor, *, temperature: float, hard: bool) -> Tensor:
        r"""Sequences of points on the simplex (n, length, size), differentiable: Gumbel-softmax.

        .. math::
            y_t = \mathrm{softmax}\bigl((\ell_t + g_t) / \tau\bigr)

        fed back as mixtures of embeddings; with `hard`, one-hot forward and the softmax backward (straight-through).
        `noise` is uniform, (n, length, size).
        """
        n, weights = len(noise), dict(self.named_parameters())
        state = _start(weights, n)
        x = self.embedding.weight[END].expand(n, -1)
        alive, rows = torch.ones(n, 1, device=noise.device), []
        end = torch.zeros(self.size, device=noise.device)
        end[END] = 1.0
        tiny = torch.finfo(noise.dtype).tiny
        for t in range(self.length):
            said, state = step(weights, x, state)
            gumbel = -(-noise[:, t].clamp(min=tiny).log()).clamp(min=tiny).log()
            y = ((said.float() + gumbel) / temperature).softmax(-1)
            if hard:
                y = _one_hot_like(y) + y - y.detach()
            if self.ends:
                y = alive * y + (1 - alive) * end
                alive = alive * (y.detach().argmax(-1, keepdim=True) != END)
            rows.append(y)
            x = y @ self.embedding.weight
        return torch.stack(rows, dim=1)


def sample(weights: Mapping[str, Tensor], uniforms: Tensor, *, ends: bool) -> Tensor:
    """Tokens (n, length) by inverse distribution functions at uniforms (n, length)."""
    tokens = torch.zeros(uniforms.shape, dtype=torch.int64, device=uniforms.device)
    state = _start(weights, len(tokens))
    last = torch.full((len(tokens),), END, device=tokens.device)
    for t in range(tokens.shape[1]):
        said, state = step(weights, weights["embedding.weight"][last], state)
        fresh = draw(said, uniforms[:, t])
        last = torch.where(last == END, END, fresh) if ends and t else fresh
        tokens[:, t] = last
    return tokens


def step(
    weights: Mapping[str, Tensor], x: Tensor, state: tuple[Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """One step of the cell from embedded tokens (n, e): the logits of the next token, and the new (h, c)."""
    h, c = state
    gates = linear(x, weights["cell.weight_ih_l0"], weights["cell.bias_ih_l0"])
    gates = gates + linear(h, weights["cell.weight_hh_l0"], weights["cell.bias_hh_l0"])
    i, f, g, o = gates.chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return linear(h, weights["head.weight"], weights["head.bias"]), (h, c)


def draw(logits: Tensor, uniforms: Tensor) -> Tensor:
    """Tokens (n,) whose distribution functions first exceed the uniforms (n,): exact, one number for each draw."""
    # In float64, so that a token in the far tail keeps its place between its neighbours.
    levels = logits.float().softmax(-1).cumsum(-1, dtype=torch.float64)
    wanted = uniforms.double()[:, None] * levels[:, -1:]
    return torch.searchsorted(levels, wanted, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


def mask_of(tokens: Tensor, *, ends: bool) -> Tensor:
    """1 up to the first end, itself included, and 0 for what follows it: float32 of the shape of the tokens."""
    if not ends:
        return torch.ones(tokens.shape, device=tokens.device)
    over = (tokens == END).cumsum(-1) - (tokens == END).long()
    return (over == 0).float()


def _start(weights: Mapping[str, Tensor], n: int) -> tuple[Tensor, Tensor]:
    zeros = weights["cell.weight_hh_l0"].new_zeros(n, weights["cell.weight_hh_l0"].shape[1])
    return zeros, zeros


def _shifted(tokens: Tensor) -> Tensor:
    """What is fed: the start token, then all tokens but the last."""
    start = torch.full_like(tokens[:, :1], END)
    return torch.cat((start, tokens[:, :-1]), dim=1)


def _one_hot_like(y: Tensor) -> Tensor:
    return torch.zeros_like(y).scatter_(-1, y.argmax(-1, keepdim=True), 1.0)
