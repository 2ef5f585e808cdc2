"""How processes find each other: what torchrun says of them becomes a process group of torch.distributed."""

from __future__ import annotations

import atexit
import os
from datetime import timedelta

import torch
from torch import distributed

from gancore import _check
from gancore.errors import TrainingError
from gancore.training.processes import Processes

__all__ = ["is_first", "join", "own_device"]


def is_first() -> bool:
    """Whether this is the process that speaks, as far as torchrun's environment tells."""
    return os.environ.get("RANK", "0") == "0"


def join(device: torch.device, *, timeout: float) -> Processes:
    """The processes of this run: those of an initialised process group, those that torchrun started, or one alone.

    The group is gloo's on the CPU and NCCL's on GPUs, and stays until the process ends.

    Parameters
    ----------
    device : torch.device
        Where this process computes.
    timeout : float
        Seconds that a process waits for the others before it gives up; a group that is there already has its own.

    Raises
    ------
    TrainingError
        If the processes do not find each other.
    """
    _check.number("timeout", timeout, above=0.0)
    if distributed.is_available() and not distributed.is_initialized() and _was_launched():
        backend = "nccl" if device.type == "cuda" else "gloo"
        try:
            distributed.init_process_group(backend, timeout=timedelta(seconds=timeout))
        except (RuntimeError, ValueError) as error:
            raise TrainingError(f"the processes that torchrun started do not find each other: {error}") from error
        # A second group from the same environment would read the addresses of the first: one is kept.
        atexit.register(_leave)
    return Processes.here()


def own_device(device: torch.device) -> torch.device:
    """The GPU of this process, where each has one; the device itself elsewhere."""
    local = os.environ.get("LOCAL_RANK")
    index: int | None = device.index
    if device.type == "cuda" and index is None and local is not None:
        device = torch.device("cuda", int(local) % torch.cuda.device_count())
        torch.cuda.set_device(device)
    return device


def _was_launched() -> bool:
    told = all(name in os.environ for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"))
    return told and int(os.environ.get("WORLD_SIZE", "1")) > 1


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
