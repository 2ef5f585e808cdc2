"""What a system is: one choice for each axis, said once, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from gancore import _check
from gancore.errors import IncompatibleChoiceError, UnknownNameError
from gancore.priors import PRIORS
from gancore.regularizers._interface import Penalty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn
    from torch.optim import Optimizer

    from gancore.games._interface import Game
    from gancore.networks._interface import NetworkFamily
    from gancore.objectives._interface import AnyObjective
    from gancore.regularizers._interface import Regularizer

__all__ = ["OptimizerSettings", "System"]


class OptimizerSettings(Protocol):
    """Settings that become an optimizer when the parameters exist: a frozen dataclass."""

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimizer of these parameters."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A published recipe: objective x regularisers x networks x game, with the settings it is known by.

    Parameters
    ----------
    objective, networks, game : Objective or PairedObjective, NetworkFamily, Game
        One choice for each axis.
    regularizers : tuple of Penalty, Projection or Perturbation
        Applied to the critic, in this order.
    generator_optimizer, critic_optimizer : OptimizerSettings
        Such as ``Adam(lr=2e-4)`` from :mod:`gancore.training.optimizers`.
    latent_dim : int
        Coordinates of a latent code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of latent codes.
    batch_size : int
        Samples in each batch, real and fake.
    ema : float or None
        Decay of the averaged networks, in [0, 1); None keeps no averages.
    reference : str
        BibTeX entry of the publication.
    name : str
        Name of the recipe that made it; a system put together by hand is called ``custom``.
    choices : mapping of str to value
        The arguments that the recipe was called with, so that it can be called again.

    Raises
    ------
    IncompatibleChoiceError
        If a penalty excludes what ties samples together (batch normalisation, minibatch features) and the critic has
        it, or needs one output and the critic has more; if minibatch features meet batches of one; if one of networks
        and game is for tokens and the other is not.
    DomainError, UnknownNameError
        If a setting is out of range, or there is no such prior.
    """

    objective: AnyObjective
    networks: NetworkFamily
    game: Game
    regularizers: tuple[Regularizer, ...] = ()
    generator_optimizer: OptimizerSettings
    critic_optimizer: OptimizerSettings
    latent_dim: int = 64
    prior: str = "normal"
    batch_size: int = 64
    ema: float | None = 0.999
    reference: str = ""
    name: str = "custom"
    choices: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check.integer("latent_dim", self.latent_dim, least=1)
        if self.batch_size == 1 and self.networks.critic_minibatch != "none":
            raise IncompatibleChoiceError(
                f"batch_size: critic_minibatch={self.networks.critic_minibatch!r} compares the samples of a batch, and "
                "one alone has none to be compared with; take at least 2"
            )
        _check.integer("batch_size", self.batch_size, least=2)
        if self.ema is not None:
            _check.number("ema", self.ema, least=0.0, below=1.0)
        if self.prior not in PRIORS:
            raise UnknownNameError("prior", self.prior, PRIORS)
        if self.networks.discrete != self.game.discrete:
            raise IncompatibleChoiceError(
                f"game: {type(self.game).__name__} {'makes' if self.game.discrete else 'cannot make'} tokens, through "
                f"which no gradient passes, and the networks {type(self.networks).__name__} "
                f"{'make them' if self.networks.discrete else 'do not'}"
            )
        for regularizer in self.regularizers:
            if isinstance(regularizer, Penalty):
                self._require_a_slope_for(regularizer)

    def _require_a_slope_for(self, penalty: Penalty) -> None:
        if self.objective.outputs > 1:
            raise IncompatibleChoiceError(
                f"regularizers: {penalty.name} bounds the slope of one output, and the critic of this objective gives "
                f"{self.objective.outputs} features; use spectral normalisation or weight_clip"
            )
        if penalty.excludes_batch_norm and self.networks.critic_minibatch != "none":
            raise IncompatibleChoiceError(
                f"critic_minibatch: {penalty.name} is a penalty on each sample alone, which "
                f"{self.networks.critic_minibatch!r} ties to the others; choose 'none'"
            )
        if penalty.excludes_batch_norm and self.networks.critic_norm == "batch":
            raise IncompatibleChoiceError(
                f"critic_norm: {penalty.name} is a penalty on each sample alone, which batch normalisation ties to "
                "the others; choose 'layer' or 'none'"
            )

    @property
    def judges_alone(self) -> bool:
        """Whether the critic judges each sample by itself, whatever else is in the batch."""
        return self.networks.critic_norm != "batch" and self.networks.critic_minibatch == "none"

    def fitted(self, shape: tuple[int, ...]) -> System:
        """The system for samples of a shape, with whatever its choices leave to the data.

        A latent dimension that is None among the choices becomes, for points, the number of their coordinates and at
        least two: more of them fold a low-dimensional space so often that training does not straighten it out. Tokens
        are drawn by one coordinate each, whatever was chosen.
        """
        if len(shape) == 2:
            known = {"latent_dim": shape[0]} if "latent_dim" in self.choices else {}
            return replace(self, latent_dim=shape[0], choices={**self.choices, **known})
        if len(shape) != 1 or self.choices.get("latent_dim", self.latent_dim) is not None:
            return self
        dim = max(2, *shape)
        return replace(self, latent_dim=dim, choices={**self.choices, "latent_dim": dim})

    def recipe(self) -> dict[str, str]:
        """The choice on each axis with all its settings, as text: equal recipes make equal systems."""
        from gancore.systems._describe import recipe

        return recipe(self)

    def explain(self) -> str:
        """The recipe, the losses as equations, and the BibTeX of everything it is made of.

        Examples
        --------
        >>> from gancore import systems
        >>> print(systems.get("wgan_gp")().explain().splitlines()[0])
        wgan_gp: Wasserstein GAN with a gradient penalty on the critic.
        """
        from gancore.systems._describe import explain

        return explain(self)
