"""The energy that latent samplers walk on, written on the prior's normals so that it has no border."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from gancore import _check
from gancore._at_rest import device_of
from gancore.errors import BackendError, GancoreError, NumericalError, ShapeError, UnknownNameError
from gancore.priors import PRIORS, check_truncation, push_forward
from gancore.samplers._critic import as_logits, check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gancore.samplers._interface import Network

__all__ = ["Calls", "LatentEnergy", "check_request"]


@dataclass
class Calls:
    """How many samples went through each network."""

    generator: int = 0
    critic: int = 0


@final
class LatentEnergy:
    r"""The energy of normals u whose push-forward is the latent code.

    .. math::
        E(u) = \tfrac12 \lVert u \rVert^2 - \frac{a\, d(G(T(u))) + b}{\tau}

    Its Gibbs distribution, carried by T, is the prior times :math:`e^{(a d + b) / \tau}`: with a critic that
    knows log p/q and temperature 1, the distribution of G(z) is p wherever G reaches.

    Parameters
    ----------
    generator, critic : callable
        Codes to samples; samples to scores of shape (n,) or (n, 1).
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Which push-forward T.
    truncation : float
        Where a truncated normal ends.
    critic_kind : {"logit", "probability", "hinge", "wasserstein"}
        How scores read.
    """

    def __init__(
        self,
        generator: Network,
        critic: Network | None,
        *,
        latent_dim: int,
        prior: str,
        truncation: float,
        critic_kind: str,
    ) -> None:
        self._generator = generator
        self._critic = critic
        self.prior = prior
        self._truncation = truncation
        self.kind = critic_kind
        self.latent_dim = latent_dim
        self.device = device_of(generator)
        self.calls = Calls()
        self.slope = 1.0
        self.offset = 0.0
        self.bend: Callable[[Tensor], Tensor] | None = None
        self.temperature = 1.0
        self._probe()

    def push(self, u: Tensor) -> Tensor:
        """Codes of normals."""
        return push_forward(u, self.prior, truncation=self._truncation)

    def decode(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Codes and samples of normals, without a graph."""
        with torch.no_grad():
            z = self.push(u)
            return z, self.generate(z)

    def generate(self, z: Tensor) -> Tensor:
        """Samples of codes."""
        self.calls.generator += len(z)
        x = self._generator(z)
        if not isinstance(x, Tensor) or x.ndim == 0 or len(x) != len(z):
            got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ShapeError(f"generator: expected {len(z)} samples for {len(z)} codes, got {got}")
        return x

    def logits(self, x: Tensor) -> Tensor:
        """The critic's scores of samples as uncalibrated logits: float of shape (n,)."""
        if self._critic is None:
            raise BackendError("critic: this sampler needs one")
        self.calls.critic += len(x)
        return as_logits(check_output(self._critic(x), len(x)), self.kind)

    def of_samples(self, u: Tensor, x: Tensor) -> Tensor:
        """Energies of normals whose samples are at hand: float64 of shape (n,)."""
        with torch.no_grad():
            return self._prior_energy(u) - self._tilt(x).double()

    def scores(self, x: Tensor, *, first: int = 0) -> Tensor:
        """What the critic adds to the log density of samples, log p/q if it is right: float64 (n,), finite."""
        scores = self.raw_scores(x)
        bad = (~scores.isfinite()).nonzero()[:, 0]
        if len(bad):
            raise NumericalError(
                f"critic: score is not finite for {len(bad)} of {len(scores)} samples, first for sample "
                f"{first + int(bad[0])}"
            )
        return scores

    def raw_scores(self, x: Tensor) -> Tensor:
        """The scores of samples, nan and infinity among them."""
        with torch.no_grad():
            return self._tilt(x).double()

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Energies, float64 (n,), and their gradient, float32 (n, d); nan and infinity pass through."""
        leaf = u.detach().requires_grad_()
        with torch.enable_grad():
            tilt, gradient = self._with_gradient(self.generate(self.push(leaf)), leaf)
        if gradient is None:
            raise BackendError(
                "critic: its output has no gradient with respect to the latent code; generator and critic must be "
                "differentiable, without .detach(), no_grad, argmax or NumPy on the way"
            )
        return self._prior_energy(u) - tilt, u - gradient

    def sample_gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of samples, float64 (n,), and their gradient with respect to the samples, as `x`."""
        leaf = x.detach().requires_grad_()
        with torch.enable_grad():
            tilt, gradient = self._with_gradient(leaf, leaf)
        if gradient is None:
            raise BackendError(
                "critic: its output has no gradient with respect to the samples; it must be differentiable, without "
                ".detach(), no_grad, argmax or NumPy on the way"
            )
        return tilt, gradient

    def _with_gradient(self, x: Tensor, leaf: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the critic adds to the log density, float64 (n,), and its gradient; None if the critic has none.

        The critic's line is not part of the graph but what its gradient begins with: five small operations a step less.
        """
        logits = self.logits(x)
        gradient = None
        if logits.requires_grad:
            slopes = torch.full_like(logits, self.slope / self.temperature)
            (gradient,) = torch.autograd.grad(logits, leaf, slopes, allow_unused=True)
        return (self.slope * logits.detach().double() + self.offset) / self.temperature, gradient

    def _tilt(self, x: Tensor) -> Tensor:
        logits = self.slope * self.logits(x) + self.offset
        return (logits if self.bend is None else self.bend(logits)) / self.temperature

    def _prior_energy(self, u: Tensor) -> Tensor:
        lengths: Tensor = torch.linalg.vector_norm(u.detach(), dim=1, dtype=torch.float64)
        return 0.5 * lengths.square()

    def _probe(self) -> None:
        """Two codes through both networks: what does not fit is named before any work is done."""
        with torch.no_grad():
            with _blamed(f"latent_dim: the generator does not take codes of shape (n, {self.latent_dim})"):
                x = self.generate(self.push(torch.ones(2, self.latent_dim, device=self.device)))
            if self._critic is not None:
                with _blamed(f"critic: does not take the generator's samples (n, {str(tuple(x.shape))[4:]}"):
                    self.logits(x)
        self.calls = Calls()


@contextlib.contextmanager
def _blamed(message: str) -> Iterator[None]:
    """What torch raises for shapes that do not fit, as an error that says whose they are."""
    try:
        yield
    except (GancoreError, torch.OutOfMemoryError):
        raise
    except (RuntimeError, ValueError, IndexError) as error:
        raise ShapeError(f"{message}: {error}") from error


def check_request(n: int, latent_dim: int, prior: str, truncation: float, batch_size: int) -> None:
    """Refuse what no sampler can do."""
    for name, value in (("n", n), ("latent_dim", latent_dim), ("batch_size", batch_size)):
        _check.integer(name, value, least=1)
    if prior not in PRIORS:
        raise UnknownNameError("prior", prior, PRIORS)
    check_truncation(truncation)
