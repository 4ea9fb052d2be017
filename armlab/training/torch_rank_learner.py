"""PyTorch's own way to share a step out among ranks: DistributedDataParallel."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.dlpack import from_dlpack

from armlab.hand.group import Group
from armlab.training.networks import Network
from armlab.training.optimisers import SGD, Adam
from armlab.training.shared_step import SharedStep
from armlab.training.torch_learner import TorchLearner


class TorchRankLearner(SharedStep, TorchLearner):
    """See `RankLearner`: the same loss of the whole batch, and the same gradients.

    Raises ValueError for synchronised statistics where PyTorch has none, which is on CPUs.
    """

    def __init__(
        self,
        net: Network,
        optimiser: SGD | Adam,
        device: str = "cpu",
        class_weights: np.ndarray | None = None,
        ignore_index: int = 255,
        *,
        group: Group,
        sync_batch_norm: bool = False,
    ) -> None:
        super().__init__(net, optimiser, device, class_weights, ignore_index)
        on_card = self.device.type == "cuda"
        if sync_batch_norm and not on_card:
            raise ValueError(
                "sync_batch_norm expected a card with backend torch, got device cpu: PyTorch's "
                "SyncBatchNorm runs on no CPU; take backend numpy, whose own does"
            )
        if sync_batch_norm:  # parameters stay those that the optimiser has
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
            self.net = convert(self.net)
        self.shared: Any = None  # made in the first step, as all ranks have to come to it
        self.devices = [self.device] if on_card else None
        self.group = group

    def forward(self, images: np.ndarray) -> Any:
        self.shared = self.shared or DistributedDataParallel(self.net, self.devices)
        return self.shared(self._tensor(images))

    def loss_of(self, y: Any, labels: np.ndarray) -> Tensor:
        """What this rank adds to it, as often as there are ranks: the gradients are averaged."""
        if self.share:
            return super().loss_of(y, labels) * (self.share * self.group.size)
        return torch.stack([a.sum() * 0 for a in (y if isinstance(y, tuple) else (y,))]).sum()

    def whole(self, loss: Tensor) -> Tensor:
        total: Tensor = from_dlpack(self.group.sum(loss))
        return total / self.group.size

    @torch.no_grad()
    def take_statistics(self) -> None:
        """As `self.shared` does itself, but not before its next forward."""
        kept = [a for a in self.net.buffers() if a.ndim]  # see `RankLearner`
        told: Tensor = from_dlpack(self.group.gather(torch.cat(kept)))
        for a, part in zip(kept, torch.split(told[0], [len(a) for a in kept]), strict=True):
            a.copy_(part)
