"""Several processes that train one run: each has its share of every batch, all take the same step.

Losses are means over a batch. Critic outputs are gathered, so that an objective sees those of the whole batch whatever
it makes of them; every process differentiates its own part, and the mean of the parameters' gradients over processes
is the gradient of the whole. It is taken after the backward pass, by one flat sum, so that penalties, whose gradients
wrappers of modules do not see, are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor

from gancore.errors import ConfigError, GancoreError, TrainingError
from gancore.metrics._distributed import gathered, share_of, together
from gancore.training.layout import laid_out_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch.optim import Optimizer

__all__ = ["Processes"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Processes:
    """The processes of a run, as one of them sees them; one alone by default.

    Attributes
    ----------
    rank, world : int
        Which process this is, of how many.
    """

    rank: int = 0
    world: int = 1

    @classmethod
    def here(cls) -> Processes:
        """Those of torch.distributed where it is initialised, else this one alone."""
        return cls(*share_of(distributed=True))

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, count: int) -> int:
        """How many samples of a batch are each process's.

        Raises
        ------
        ConfigError
            If the batch cannot be shared out evenly.
        """
        if count % self.world:
            raise ConfigError(f"batch_size: expected a multiple of the {self.world} processes, got {count}")
        return count // self.world

    def own(self, batch: Tensor) -> Tensor:
        """The share of a whole batch that is this process's."""
        return batch.chunk(self.world)[self.rank] if self.world > 1 else batch

    def whole(self, *outputs: Tensor) -> tuple[Tensor, ...]:
        """What the critic said of the whole batch, from what it said of each share; differentiable to any order.

        The outputs have one shape; the order is that of the batch.
        """
        if self.world == 1:
            return outputs
        # One sum in which every process fills its own place: exact, and every backend can do it.
        ours = torch.stack(outputs, dim=1)
        places = [torch.zeros_like(ours) for _ in range(self.world)]
        places[self.rank] = ours
        return self._sum(torch.cat(places)).unbind(1)

    def mean(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Means over processes, by one flat sum; differentiable to any order."""
        if self.world == 1:
            return list(tensors)
        flat = self._sum(torch.cat([tensor.flatten() for tensor in tensors])) / self.world
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def average_gradients(self, optimizer: Optimizer, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Make each gradient the mean over processes; return the means of the losses, detached."""
        told = {name: loss.detach() for name, loss in losses.items()}
        if self.world == 1:
            return told
        reached = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        means = self.mean([*(p.grad for p in reached), *told.values()])
        for parameter, gradient in zip(reached, means, strict=False):
            parameter.grad = laid_out_as(parameter, gradient)
        return dict(zip(told, means[len(reached) :], strict=True))

    @torch.no_grad()
    def average_buffers(self, networks: Iterable[torch.nn.Module]) -> None:
        """Make running statistics the means over processes, so that every process has the same networks."""
        if self.world == 1:
            return
        buffers = [b for network in networks for b in network.buffers() if b.is_floating_point()]
        if buffers:
            for buffer, mean in zip(buffers, self.mean(buffers), strict=True):
                buffer.copy_(mean)

    def gather(self, value: _T) -> list[_T]:
        """What each process has, in the order of ranks."""
        return self._told(lambda: gathered(value, self.world))

    def from_first(self, work: Callable[[], _T]) -> _T:
        """What `work` returns on the first process, on all of them.

        Raises
        ------
        BackendError
            On the others, if it failed on the first; the message says why.
        """
        if self.world == 1:
            return work()
        found = self._told(lambda: together(lambda: work() if self.first else None, (self.rank, self.world)))
        return cast("_T", self.gather(found)[0])

    def _sum(self, tensor: Tensor) -> Tensor:
        return self._told(lambda: cast("Tensor", _Sum.apply(tensor)))

    def _told(self, exchange: Callable[[], _T]) -> _T:
        """What an exchange gives, or an error that says what it means when it fails."""
        try:
            return exchange()
        except GancoreError:
            raise
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise TrainingError(
                f"process {self.rank} of {self.world} has lost the others: one of them ended, or did not answer within "
                f"the timeout ({reason})"
            ) from error


class _Sum(torch.autograd.Function):
    """The sum over processes; its derivative is the sum of what each process asks for."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        del ctx
        total = tensor.detach().clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *asked: Tensor) -> Tensor:
        del ctx
        return cast("Tensor", _Sum.apply(asked[0].contiguous()))
