"""A step of training shared out among ranks, each on its part of the batch.

Each rank has the whole network and the whole optimiser. What they exchange is one number before a
step, all gradients in one array after the backward and, where statistics are synchronised, two
small arrays for each batch normalisation. All come out with the same weights, to the last bit.
Running statistics are each rank's own until an evaluation, as they are in DistributedDataParallel
until the next forward; where they are synchronised, they are the same anyway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.arrays import Array, array_namespace, flat
from armlab.hand.backward import Grads
from armlab.hand.group import Group
from armlab.hand.kernels.packed import Packed, shapes_of
from armlab.hand.sync_batch_norm import synchronised
from armlab.training.hand_learner import HandLearner
from armlab.training.networks import Network
from armlab.training.optimisers import SGD, Adam
from armlab.training.shared_step import SharedStep


class RankLearner(SharedStep, HandLearner):
    """See `Learner`. `step` takes a part of the batch, maybe none of it, and gives the loss of all.

        loss = Σ q (-log p) / Σ q      over the pixels of all ranks, with q the weight of a pixel

    so a rank whose pixels weigh Q of all Σ Q has a share of Q / Σ Q in it, and the gradients of all
    add up to those of the whole batch.

    sync_batch_norm  whether statistics are those of the whole batch, and with them every number
                     that of one process on it; else each rank has those of its part
    """

    def __init__(
        self,
        net: Network,
        optimiser: SGD | Adam,
        class_weights: np.ndarray | None = None,
        ignore_index: int = 255,
        *,
        group: Group,
        sync_batch_norm: bool = False,
    ) -> None:
        used: Any = synchronised(net, group) if sync_batch_norm else net
        super().__init__(used, optimiser, class_weights, ignore_index)
        self.group = group

    def loss_and_gradient(self, y: Any, labels: np.ndarray) -> tuple[Array, Any]:
        if self.share:
            loss, loss_back = self.loss(y, labels)
            return loss * self.share, loss_back(self.share)
        outputs = y if isinstance(y, tuple) else (y,)  # of no pixel that counts
        xp = array_namespace(outputs[0])
        zeros = tuple(xp.zeros_like(a) for a in outputs)
        return xp.sum(zeros[0]), zeros if isinstance(y, tuple) else zeros[0]

    def exchanged(self, loss: Array, grads: Grads) -> tuple[Array, Grads]:
        """The sums over all ranks, of all gradients at once."""
        summed = self.group.sum(flat([loss, *grads.values()]))
        return summed[0], Packed(shapes_of(grads), summed[1:]).views

    def take_statistics(self) -> None:
        # All but the numbers of batches, which have no axes and are alike anyway.
        kept = {key: a for key, a in self.net.buffers().items() if a.ndim}
        told = self.group.gather(flat(kept.values()))[0, :]
        self.net.assign(Packed(shapes_of(kept), told))
