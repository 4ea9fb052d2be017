"""What a learner has in common on every rank, by hand and in PyTorch: its share, what is NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from armlab.arrays import to_host
from armlab.hand.group import Group
from armlab.training.finite import NotFinite


class SharedStep:
    """Before a learner among the bases of one that shares its steps with the ranks of `group`.

    share            of this rank in the loss of the step: how much its pixels weigh of those of all
    take_statistics  takes over the running statistics of rank 0, whose network is evaluated and
                     saved; a step normalises by its batch, so no weight hears of it
    """

    group: Group
    counted_weight: Callable[[np.ndarray], float]
    take_statistics: Callable[[], None]
    share: float = 1.0

    def counts(self, labels: np.ndarray) -> bool:
        """Whether a pixel of any rank has a share in the loss; notes what this one's have."""
        own = np.asarray([self.counted_weight(labels)])
        total = self.group.gather(own).sum()
        self.share = float(own[0] / total) if total else 0.0
        return bool(total)

    def expect_finite(self, named: Iterator[tuple[str, Any]]) -> None:
        """Raise NotFinite with the first value of any rank that is not finite, by its name.

        Every rank looks at all of its values, as they exchange on the way.
        """
        looked = [(name, bool(np.isfinite(to_host(a)).all())) for name, a in named]
        first = next((at for at, (_, finite) in enumerate(looked) if not finite), len(looked))
        firsts = self.group.gather(np.asarray([first]))[:, 0]
        rank = int(firsts.argmin())
        if firsts[rank] < len(looked):
            raise NotFinite(f"{looked[firsts[rank]][0]} on rank {rank}")
