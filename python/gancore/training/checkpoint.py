"""Checkpoints: the whole state of a run in one safetensors file, written so that it is never half there."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise

from gancore._files import atomic_write
from gancore.errors import ConfigError, DataError, TrainingError
from gancore.training import randomness
from gancore.training.layout import laid_out_as

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from gancore.training.state import TrainingState

__all__ = ["Checkpoint", "latest", "list_checkpoints", "load", "load_weights", "restore", "save", "write"]

_FORMAT = "gancore checkpoint"
_VERSION = 2
_NAME = re.compile(r"step-(\d{8,})\.safetensors")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes
    ----------
    path : Path
        Where it was read.
    tensors : dict of str to Tensor
        ``network/NAME/KEY``, ``average/NAME/KEY``, ``optimizer/NAME/INDEX/KEY``, ``memory/KEY``,
        ``random/...``; on the CPU.
    step, drawn, seconds : int, int, float
        The counters of :class:`~gancore.training.state.TrainingState`.
    recipe : dict of str to str
        The system that was trained.
    device, precision : str
        Where and how it was trained: ``cpu`` or ``cuda``; ``float32`` or ``bfloat16``.
    """

    path: Path
    tensors: dict[str, Tensor]
    step: int
    drawn: int
    seconds: float
    recipe: dict[str, str]
    device: str
    precision: str

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin so, by the rest of their names."""
        return {key.removeprefix(prefix): t for key, t in self.tensors.items() if key.startswith(prefix)}


def save(state: TrainingState, folder: Path, *, keep: int) -> None:
    """Write a checkpoint of the state into a folder and remove all but the newest `keep`.

    All processes of the run call it, and the first one writes.

    Raises
    ------
    TrainingError
        If it cannot be written, say because the disk is full; earlier checkpoints stay as they are.
    """
    if write(state, folder / f"step-{state.step:08d}.safetensors"):
        for old in list_checkpoints(folder)[keep:]:
            old.unlink()


def write(state: TrainingState, path: Path) -> bool:
    """Write a checkpoint of the state to a file; whether this process is the one that wrote.

    Raises
    ------
    TrainingError
        If it cannot be written.
    """
    # The state itself is the same on all processes; the global generators, which datasets draw from, are each one's.
    generators = state.processes.gather(randomness.capture())
    if not state.processes.first:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scalars = {
        "step": state.step,
        "drawn": state.drawn,
        "seconds": state.seconds,
        "recipe": state.system.recipe(),
        "device": state.device.type,
        "precision": state.precision,
    }
    metadata = {"format": _FORMAT, "version": str(_VERSION), "state": json.dumps(scalars)}
    try:
        with atomic_write(path) as aside:
            aside.write_bytes(serialise(_tensors(state, generators), metadata))
    except OSError as error:
        raise TrainingError(f"{path}: the checkpoint cannot be written ({error}); earlier ones are intact") from error
    return True


def list_checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a folder, newest first."""
    found = {path: match for path in folder.glob("*.safetensors") if (match := _NAME.fullmatch(path.name))}
    return sorted(found, key=lambda path: int(found[path][1]), reverse=True)


def latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that can be read, None if there is no file; warns of those passed over.

    Raises
    ------
    DataError
        If there are files but none can be read.
    """
    failures: list[str] = []
    for path in list_checkpoints(folder):
        try:
            checkpoint = load(path)
        except DataError as error:
            failures.append(str(error))
            continue
        for failure in failures:
            warnings.warn(f"{failure}; went back to step {checkpoint.step}", stacklevel=2)
        return checkpoint
    if failures:
        raise DataError("; ".join(failures))
    return None


def load(path: Path) -> Checkpoint:
    """Read a checkpoint file.

    Raises
    ------
    DataError
        If it is truncated, or not a checkpoint that this version of gancore can read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not a complete safetensors file ({error})") from error
    if metadata.get("format") != _FORMAT or metadata.get("version") != str(_VERSION):
        found = f"{metadata.get('format', 'no format')!r} version {metadata.get('version', '?')}"
        raise DataError(f"{path}: expected a {_FORMAT} of version {_VERSION}, got {found}")
    scalars: dict[str, Any] = json.loads(metadata["state"])
    return Checkpoint(path=path, tensors=tensors, **scalars)


def restore(state: TrainingState, checkpoint: Checkpoint) -> None:
    """Bring a fresh state, and the global random states, to where the checkpoint was written.

    Raises
    ------
    ConfigError
        If the checkpoint is of another system.
    """
    recipe = state.system.recipe()
    different = [
        f"{axis} {checkpoint.recipe.get(axis)} there, {recipe.get(axis)} here"
        for axis in checkpoint.recipe.keys() | recipe.keys()
        if checkpoint.recipe.get(axis) != recipe.get(axis)
    ]
    if different:
        raise ConfigError(f"{checkpoint.path}: the checkpoint is of another system: {'; '.join(sorted(different))}")
    for name, network in state.networks.items():
        load_weights(network, checkpoint.under(f"network/{name}/"))
        _load_optimizer(state.optimizers[name], checkpoint.under(f"optimizer/{name}/"))
    for name, average in state.averages.items():
        load_weights(average.network, checkpoint.under(f"average/{name}/"))
    state.memory = {key: value.to(state.device) for key, value in checkpoint.under("memory/").items()}
    state.step, state.drawn, state.seconds = checkpoint.step, checkpoint.drawn, checkpoint.seconds
    if generators := checkpoint.under(_generators(state.processes.rank)):
        randomness.restore(generators)
    else:
        # More processes than before: a new one begins a stream of its own.
        randomness.seed_all(
            randomness.derive(state.random.initial_seed(), f"process {state.processes.rank} from {state.step}")
        )
    here, there = (state.device.type, state.precision), (checkpoint.device, checkpoint.precision)
    if here != there:
        warnings.warn(
            f"{checkpoint.path}: trained on {' in '.join(there)}, resumed on {' in '.join(here)}: results are as good, "
            "but not bit for bit those of an uninterrupted run",
            stacklevel=2,
        )
    if here[0] == there[0]:
        state.random.set_state(checkpoint.tensors["random/latents"])
    else:
        state.random.manual_seed(randomness.derive(state.random.initial_seed(), f"latents from {state.step}"))


def load_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put stored weights into a network of the same make.

    Raises
    ------
    ConfigError
        If the network has other parameters.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(f"the checkpoint's weights do not fit the networks of this version: {error}") from error


def _generators(rank: int) -> str:
    """Prefix of a process's global random states."""
    return f"random-{rank}/" if rank else "random/"


def _tensors(state: TrainingState, generators: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {"random/latents": state.random.get_state()}
    for name, network in state.networks.items():
        tensors |= {f"network/{name}/{key}": value for key, value in network.state_dict().items()}
        for index, values in state.optimizers[name].state_dict()["state"].items():
            tensors |= {f"optimizer/{name}/{index}/{key}": torch.as_tensor(v) for key, v in values.items()}
    for name, average in state.averages.items():
        tensors |= {f"average/{name}/{key}": value for key, value in average.network.state_dict().items()}
    tensors |= {f"memory/{key}": value for key, value in state.memory.items()}
    for rank, states in enumerate(generators):
        tensors |= {_generators(rank) + key: value for key, value in states.items()}
    return {key: value.detach().cpu().contiguous() for key, value in tensors.items()}


def _load_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    values: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition("/")
        values.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": values, "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter, remembered in optimizer.state.items():
        for key, value in remembered.items():
            remembered[key] = laid_out_as(parameter, value)
