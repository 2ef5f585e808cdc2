"""A run: trained networks to sample from and to judge, with the history of how they came about."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from gancore import registry, systems
from gancore.errors import ConfigError, DataError, IncompatibleChoiceError
from gancore.text.vocabulary import Vocabulary
from gancore.training.checkpoint import latest, load, load_weights
from gancore.training.device import resolve_device
from gancore.training.folder import RunFolder
from gancore.training.history import read_history
from gancore.training.state import build_networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import nn

    from gancore.evaluation import Evaluation
    from gancore.samplers._interface import Samples
    from gancore.systems._interface import System
    from gancore.training.checkpoint import Checkpoint
    from gancore.training.folder import RunRecord
    from gancore.training.state import TrainingState

__all__ = ["Run"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What training returns and :meth:`load` reads back.

    Attributes
    ----------
    system : System
        What was trained.
    generator, critic : Module
        In evaluation mode, parameters frozen; the averaged ones if the system keeps averages.
    shape : tuple of int
        Shape of one sample.
    kind : {"image", "points", "tokens"}
        What one sample is; images lie in [-1, 1].
    data_name : str
        Name of the data it was trained on.
    seed : int
    step : int
        Generator steps done.
    vocabulary : Vocabulary or None
        The words behind token ids, where the data had words.
    history : list of dict
        One entry for each logged step: ``step``, ``seconds``, losses and metrics by name.
    folder : Path or None
        Where it is stored.
    """

    system: System
    generator: nn.Module
    critic: nn.Module
    shape: tuple[int, ...]
    kind: Literal["image", "points", "tokens"]
    data_name: str
    seed: int
    step: int
    history: list[dict[str, float]]
    folder: Path | None
    vocabulary: Vocabulary | None = None

    @classmethod
    def load(
        cls, path: str | Path, *, device: str = "auto", system: System | None = None, checkpoint: str | Path = "last"
    ) -> Run:
        """Read a run from its folder, at its newest complete checkpoint or at another one.

        Parameters
        ----------
        path : str or Path
            The folder that was given as ``out``.
        device : str
            ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        system : System, optional
            The system that was trained, if it was put together by hand.
        checkpoint : {"last", "best"} or path
            The newest one, the one with the best score, which training keeps if `best` is asked of it, or a file.

        Returns
        -------
        Run

        Raises
        ------
        DataError
            If there is no run, or none of its checkpoints can be read.
        ConfigError
            If the system cannot be built again from the record, or the checkpoint is of another system.
        """
        folder = RunFolder(Path(path))
        record = folder.read()
        system = _rebuilt(record, system, folder.path)
        found = _checkpoint(folder, checkpoint)
        if found.recipe != system.recipe():
            raise ConfigError(f"{found.path}: a checkpoint of another system: {found.recipe}, not {system.recipe()}")
        shape = tuple(record.data["shape"])
        networks = build_networks(system, shape, record.seed)
        kept = "network" if system.ema is None else "average"
        for name, network in networks.items():
            load_weights(network, found.under(f"{kept}/{name}/"))
        where = resolve_device(device)
        return cls(
            system=system,
            generator=_at_rest(networks["generator"].to(where)),
            critic=_at_rest(networks["critic"].to(where)),
            shape=shape,
            kind=record.data["kind"],
            data_name=record.data["name"],
            seed=record.seed,
            step=found.step,
            history=[e for e in read_history(folder.history) if e["step"] <= found.step],
            folder=folder.path,
            vocabulary=_words(record),
        )

    @classmethod
    def snapshot(
        cls, state: TrainingState, record: RunRecord, history: list[dict[str, float]], folder: Path | None
    ) -> Run:
        """The run as it stands: copies, which further training does not change."""
        averaged = {name: average.network for name, average in state.averages.items()}
        networks = state.networks | averaged
        return cls(
            system=state.system,
            generator=_at_rest(copy.deepcopy(networks["generator"])),
            critic=_at_rest(copy.deepcopy(networks["critic"])),
            shape=tuple(record.data["shape"]),
            kind=record.data["kind"],
            data_name=record.data["name"],
            seed=record.seed,
            step=state.step,
            history=list(history),
            folder=folder,
            vocabulary=_words(record),
        )

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.generator.parameters()).device

    def sample(
        self, n: int, *, seed: int = 0, sampler: str | None = None, labels: Sequence[int] | None = None, **settings: Any
    ) -> Samples:
        """Draw samples.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            Same seed, same samples.
        sampler : str, optional
            Name of a sampler, ``plain`` if not given.
        labels : sequence of int, optional
            What to sample; only conditional systems know labels.
        **settings
            Further settings of the sampler.

        Returns
        -------
        Samples
            ``x`` of shape (n, *shape) on the run's device, the codes ``z``, and diagnostics.

        Raises
        ------
        UnknownNameError
            If there is no such sampler.
        IncompatibleChoiceError
            If labels are given: this system is unconditional. If the sampler needs a critic with one output.
        """
        if labels is not None:
            raise IncompatibleChoiceError(f"labels: {self.system.name} is unconditional, it cannot sample by label")
        name, objective = sampler or "plain", self.system.objective
        draw = registry.get("samplers", name)
        follows = objective.critic_kind != "features"
        if not follows and name != "plain":
            raise IncompatibleChoiceError(
                f"sampler: {name} follows one output of the critic, and that of {self.system.name} gives "
                f"{objective.outputs} features; only plain samples can be drawn"
            )
        if self.system.networks.discrete and name != "plain":
            raise IncompatibleChoiceError(
                f"sampler: {name} needs samples that vary continuously with their codes, and {self.system.name} makes "
                "tokens; only plain samples can be drawn"
            )
        samples: Samples = draw(
            self.generator,
            self.critic if follows else None,
            n,
            latent_dim=self.system.latent_dim,
            prior=self.system.prior,
            critic_kind=objective.critic_kind,
            seed=seed,
            **settings,
        )
        return samples

    def evaluate(self, data: object = None, *, metrics: Sequence[str] | None = None, **settings: Any) -> Evaluation:
        """Judge samples against data, those of the run if none are given.

        See :func:`gancore.evaluation.evaluate` for the metrics, the further settings and what is returned.
        """
        from gancore.evaluation import evaluate

        return evaluate(self, data, metrics=metrics, **settings)

    def untrained_generator(self) -> nn.Module:
        """The generator as training began with it, in evaluation mode: what to compare against."""
        return _at_rest(build_networks(self.system, self.shape, self.seed)["generator"].to(self.device))


def _rebuilt(record: RunRecord, given: System | None, folder: Path) -> System:
    """The system of a record, recognised by its recipe."""
    if given is None and record.system not in systems.names():
        raise ConfigError(f"{folder}: trained a system put together by hand; pass it as `system`")
    system = systems.get(record.system)(**record.choices) if given is None else given
    if system.recipe() != record.recipe:
        raise ConfigError(
            f"{folder}: trained {record.system} as {record.recipe}, but the system "
            f"{'given' if given else 'of that name'} is {system.recipe()}; pass the right one as `system`"
        )
    return system


def _checkpoint(folder: RunFolder, wanted: str | Path) -> Checkpoint:
    """The checkpoint that a word or a path names."""
    if wanted == "best":
        if not folder.best.exists():
            raise DataError(f"{folder.best}: no such file; training keeps the best checkpoint if `best` is asked of it")
        return load(folder.best)
    if wanted != "last":
        return load(Path(wanted))
    found = latest(folder.checkpoints)
    if found is None:
        raise DataError(f"{folder.checkpoints}: no checkpoint yet; training has not got that far")
    return found


def _words(record: RunRecord) -> Vocabulary | None:
    stored = record.data.get("vocabulary")
    return None if stored is None else Vocabulary.from_dict(stored)


def _at_rest(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(requires_grad=False)
