"""How long a step of training takes that is shared out among ranks: a model, not a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from armlab.cost.exchanges import Exchange, exchanges
from armlab.cost.module_cost import ModuleCost
from armlab.hand.module import Module

PASSES = 3  # over the multiply-adds of the forward: y, dx and the gradient of the weights
FLOPS = 2  # in a multiply-add


@dataclass(frozen=True)
class Rank:
    """What each rank reaches, in the whole of a step.

    flops      in a second, of convolutions and all that stands between them
    latency    seconds that a message takes, however short
    bandwidth  bytes that it sends in a second
    """

    flops: float
    latency: float
    bandwidth: float

    def seconds(self, exchanged: Iterable[Exchange], ranks: int) -> float:
        """Of exchanges one behind the other, with nothing else going on."""
        return sum(
            each.messages(ranks) * self.latency + each.sent(ranks) / self.bandwidth
            for each in exchanged
        )


@dataclass(frozen=True)
class Step:
    """A step on a whole batch.

    part      images of the rank that has most
    messages  that each rank sends for it, one behind the other
    sent      bytes of them
    compute   seconds in which that rank does its part
    exchange  seconds of the messages
    """

    batch: int
    ranks: int
    part: int
    messages: int
    sent: int
    compute: float
    exchange: float

    @property
    def seconds(self) -> float:
        """A rank waits for the slowest one, and nothing is sent while it computes."""
        return self.compute + self.exchange

    @property
    def images_per_second(self) -> float:
        return self.batch / self.seconds

    @property
    def efficiency(self) -> float:
        """Images per second, of so many times those of one rank that does all of it alone."""
        return self.compute * self.batch / (self.part * self.ranks) / self.seconds


class Scale:
    """A step of a network on one batch, for any number of ranks.

    net     in training mode it runs its auxiliary heads, and so they count here
    shapes  (N, C, H, W) of each input, N of the whole batch
    """

    def __init__(self, net: Module, shapes: Sequence[Sequence[int]], rank: Rank) -> None:
        net = net.copy().eval()
        net.training = True  # its parts, in evaluation mode, take a single pooled value
        self.batch, self.rank = shapes[0][0], rank
        one = ((1, *shape[1:]) for shape in shapes)
        self.multiply_adds = ModuleCost(net, *one).total.multiply_adds
        self.exchanges = {sync: exchanges(net, sync) for sync in (False, True)}

    def step(self, ranks: int, sync_batch_norm: bool = False) -> Step:
        """Shared out among so many; with synchronised statistics, or without."""
        part = -(-self.batch // ranks)
        exchanged = self.exchanges[sync_batch_norm]
        return Step(
            self.batch,
            ranks,
            part,
            sum(each.messages(ranks) for each in exchanged),
            sum(each.sent(ranks) for each in exchanged),
            part * PASSES * FLOPS * self.multiply_adds / self.rank.flops,
            self.rank.seconds(exchanged, ranks),
        )

    def steps(self, most: int) -> Iterator[tuple[Step, Step]]:
        """Of 1, 2, 4, … and at last `most` ranks: without synchronised statistics, and with."""
        for ranks in (*(2**k for k in range((most - 1).bit_length())), most):
            yield self.step(ranks), self.step(ranks, sync_batch_norm=True)
