"""What the ranks of a run exchange in one step of training by hand.

Counted from the network, nothing is run; `RankLearner` has the step. Ranks are taken to form a
ring, in which each sends to the next one alone: of all ways to add up large arrays it sends the
fewest bytes (Patarasuk and Yuan 2009, Bandwidth optimal all-reduce algorithms), and gloo takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from armlab.arrays import dtype_name
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.module import Module

WEIGHT = 8  # bytes of the one float64 that a rank tells of its pixels


@dataclass(frozen=True)
class Exchange:
    """One call of `Group.gather` or `Group.sum` by every rank.

    what   its name, such as "gradients" or "bn1 statistics"
    given  bytes of the array with which a rank comes
    """

    what: str
    kind: Literal["gather", "sum"]
    given: int

    def messages(self, ranks: int) -> int:
        """How many a rank sends, each when it has got the one before it."""
        return (ranks - 1) * (2 if self.kind == "sum" else 1)

    def sent(self, ranks: int) -> int:
        """Bytes that a rank sends: all its array to all, or twice each part but one of a sum."""
        if self.kind == "gather":
            return (ranks - 1) * self.given
        return -(-2 * (ranks - 1) * self.given // ranks)


def exchanges(net: Module, sync_batch_norm: bool = False) -> list[Exchange]:
    """Those of a step, in the order of its computation; the backward has its layers as they stand.

    Every batch normalisation of the network is taken to run once.
    """
    parameters = net.parameters().values()
    numbers = 1 + sum(a.size for a in parameters)  # the loss goes with the gradients
    size = max((np.dtype(dtype_name(a)).itemsize for a in parameters), default=4)
    norms = [
        (name, size * m.num_features)
        for name, m in net.named_modules()
        if sync_batch_norm and isinstance(m, BatchNorm2d)
    ]
    return [
        Exchange("weight of its pixels", "gather", WEIGHT),
        *(Exchange(f"{name} statistics", "gather", 3 * row) for name, row in norms),
        *(Exchange(f"{name} sums of the backward", "gather", 2 * row) for name, row in norms),
        Exchange("loss and gradients", "sum", size * numbers),
    ]
