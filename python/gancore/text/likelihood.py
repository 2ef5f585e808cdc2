"""Likelihoods of sequences: under a trained generator, or under an oracle that is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gancore import _check
from gancore._at_rest import at_rest
from gancore._extras import require
from gancore.errors import DataError, IncompatibleChoiceError
from gancore.text._ids import check_ids

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gancore.networks._lstm import LSTMGenerator

__all__ = ["nll", "oracle", "published_oracle"]

_AT_ONCE = 512
_GATES = ("i", "f", "c", "og")
"""Input, forget, candidate and output, as torch orders them and the published file names them."""


def nll(generator: nn.Module, tokens: Tensor) -> float:
    r"""Negative log-likelihood of sequences under a generator, in nats a token.

    .. math::
        \mathrm{NLL} = -\frac{\sum_{b,t} \log G(y_{b,t} \mid y_{b,<t})}{\text{number of tokens}}

    Under the oracle, of a generator's samples, it is NLL-oracle; under the generator, of held-out sequences, NLL-test.
    Padding is no token; an end is one.

    Parameters
    ----------
    generator : Module
        Of the networks ``sequence``.
    tokens : Tensor of shape (n, length)
        Token ids.

    Returns
    -------
    float

    Raises
    ------
    IncompatibleChoiceError
        If the generator tells no likelihoods.
    ShapeError
        If there are no sequences (n, length).
    DTypeError
        If ids are no integers.
    DomainError
        If an id is outside the generator's vocabulary; the message says where.

    Notes
    -----
    L. Yu et al., "SeqGAN" (2017), equation 17. NLL-oracle alone is easy to win: a generator that says few likely things
    passes below the oracle's entropy. Look at NLL-test and at diversity too.

    Examples
    --------
    >>> import torch
    >>> truth = oracle(size=50, length=8, seed=0)
    >>> own = truth(torch.randn(200, 8, generator=torch.Generator().manual_seed(0)))
    >>> nll(truth, own) < nll(truth, torch.randint(50, (200, 8)))
    True
    """
    torch = require("torch", extra="train")
    from gancore.networks._lstm import LSTMGenerator

    if not isinstance(generator, LSTMGenerator):
        raise IncompatibleChoiceError(f"generator: {type(generator).__name__} tells no likelihoods of sequences")
    check_ids("tokens", tokens, generator.size)
    total, count = 0.0, 0.0
    with torch.no_grad(), at_rest(generator):
        for part in torch.split(tokens, _AT_ONCE):
            total -= float(generator.log_probs(part).double().sum())
            count += float(generator.mask(part).double().sum())
    return total / count


def oracle(*, size: int = 5000, length: int = 20, width: int = 32, seed: int = 0) -> LSTMGenerator:
    """A random LSTM as the truth: all parameters from N(0, 1), token 0 fed first and a token like the others.

    Parameters
    ----------
    size, length : int
        How many token ids there are, and how long its sequences are.
    width : int
        Of its embedding and its LSTM.
    seed : int
        Same seed, same oracle.

    Returns
    -------
    LSTMGenerator
        A map from codes (n, length) ~ N(0, I) to sequences; :func:`nll` gives the likelihood of any.

    Raises
    ------
    DomainError
        If a setting is out of range.

    Notes
    -----
    L. Yu et al., "SeqGAN" (2017), section 4.1. Smaller parameters make a law that is nearly uniform, from which there
    is nothing to learn.

    Examples
    --------
    >>> oracle(size=10, length=4).head.weight.shape
    torch.Size([10, 32])
    """
    torch = require("torch", extra="train")
    from gancore.networks._lstm import LSTMGenerator

    for name, value, least in (("size", size, 2), ("length", length, 1), ("width", width, 1), ("seed", seed, 0)):
        _check.integer(name, value, least=least)
    made = LSTMGenerator(size, length, embedding=width, width=width, ends=False)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random))
        # torch has two offsets where the cell has one.
        torch.nn.init.zeros_(made.cell.bias_hh_l0)
    return made.eval().requires_grad_(requires_grad=False)


def published_oracle(path: str | Path, *, length: int = 20) -> LSTMGenerator:
    """The oracle of the SeqGAN paper, from its fifteen arrays.

    Parameters
    ----------
    path : str or Path
        An .npz file with ``g_embeddings``, ``Wi Ui bi Wf Uf bf Wog Uog bog Wc Uc bc``, ``Wo`` and ``bo``.
    length : int
        Of its sequences.

    Returns
    -------
    LSTMGenerator

    Raises
    ------
    DataError
        If the file is not there or lacks an array.
    """
    torch = require("torch", extra="train")
    from gancore.networks._lstm import LSTMGenerator

    _check.integer("length", length, least=1)
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
        weights = {
            "embedding.weight": arrays["g_embeddings"],
            "cell.weight_ih_l0": torch.cat([arrays[f"W{gate}"].T for gate in _GATES]),
            "cell.weight_hh_l0": torch.cat([arrays[f"U{gate}"].T for gate in _GATES]),
            "cell.bias_ih_l0": torch.cat([arrays[f"b{gate}"] for gate in _GATES]),
            "head.weight": arrays["Wo"].T,
            "head.bias": arrays["bo"],
        }
    except KeyError as error:
        raise DataError(f"{path}: expected the array {error.args[0]}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    size, embedding = weights["embedding.weight"].shape
    width = weights["cell.weight_hh_l0"].shape[1]
    weights["cell.bias_hh_l0"] = torch.zeros(4 * width)
    made = LSTMGenerator(size, length, embedding=embedding, width=width, ends=False)
    made.load_state_dict(weights)
    return made.eval().requires_grad_(requires_grad=False)
