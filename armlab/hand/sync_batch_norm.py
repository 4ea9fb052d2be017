"""Batch normalisation over a batch that lies in parts on several ranks, as if it lay on one."""

from __future__ import annotations

from typing import Self

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward, Grads
from armlab.hand.batch_norm import (
    ONE_VALUE,
    BatchNorm2d,
    batch_norm_eval,
    expect_eps,
    values_per_channel,
)
from armlab.hand.channels import channel_dot, channel_sum, per_channel
from armlab.hand.expect import expect_features, expect_vectors
from armlab.hand.group import Group
from armlab.hand.module import Module


def sync_batch_norm(
    x: Array, w: Array, b: Array, *, group: Group, eps: float = 1e-5
) -> tuple[tuple[Array, Array, Array, int], Backward]:
    """`batch_norm` of the whole batch, called by every rank i on its part.

    x, y  (N_i, C, H, W)  with m_i = N_i H W values per channel, of m = Σ m_i; an empty part too
    w, b, mean, var  (C,)

        mean_i = Σ x / m_i,   S_i = Σ (x - mean_i)²              of its own                 (1)
        mean   = Σ_i m_i mean_i / m                              exchanged                  (2)
        var    = Σ_i (S_i + m_i (mean_i - mean)²) / m                                       (3)
        y      = w (x - mean) / sqrt(var + eps) + b                                         (4)

    (3) is exact: with x - mean = (x - mean_i) + (mean_i - mean) the square of a part adds up to S_i
    and m_i (mean_i - mean)², and between them to 2 (mean_i - mean) Σ (x - mean_i) = 0. Both terms
    are squares, so nothing cancels, as it would in E[x²] - mean².

    The value is (y, mean, var, m). backward(dy) gives dx of the part, and what the part adds to dw
    and db: the ranks' sum is the gradient. m is read, so on a device this waits for it.
    Raises ValueError on every rank where m = 1. Source of (3): Chan, Golub and LeVeque 1979.
    """
    xp = array_namespace(x, w, b)
    expect_features("sync_batch_norm", x)
    expect_vectors("sync_batch_norm", x.shape[1], w=w, b=b)
    eps = expect_eps("sync_batch_norm", eps)
    m_i = values_per_channel(x)
    mean_i = channel_sum(x) / max(m_i, 1)  # (1)
    off = x - per_channel(mean_i)
    told = group.gather(xp.stack([xp.zeros_like(mean_i) + m_i, mean_i, channel_dot(off, off)]))
    ms, means, spreads = told[:, 0, :], told[:, 1, :], told[:, 2, :]  # each (size, C)

    m = int(xp.sum(ms[:, 0]))
    if m == 1:
        raise ValueError(ONE_VALUE.format(shape=(1, *x.shape[1:])))
    mean = xp.sum(ms * means, axis=0) / max(m, 1)  # (2)
    var = xp.sum(spreads + ms * (means - mean) ** 2, axis=0) / max(m, 1)  # (3)
    y, part_back = batch_norm_eval(x, w, b, mean=mean, var=var, eps=eps)  # (4)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # For a part the statistics are given numbers, and (4) a straight line: dx = w r dy. But
        # they are made of all parts: equation (5) of `batch_norm`, with the sums of all ranks.
        #     dx = w r dy - (w r / m) (x̂ Σ dw_i + Σ db_i)                                   (5)
        # What is taken away is x normalised as in (4), to another scale and shift.
        dx, dw_i, db_i = part_back(dy)
        dw, db = xp.sum(group.gather(xp.stack([dw_i, db_i])), axis=0)
        k = w / xp.sqrt(var + eps) / max(m, 1)
        away, _ = batch_norm_eval(x, k * dw, k * db, mean=mean, var=var, eps=eps)
        dx = dx - away  # (5)
        return dx, dw_i, db_i

    return (y, mean, var, m), backward


class SyncBatchNorm2d(BatchNorm2d):
    """`BatchNorm2d` whose batch is that of all ranks of a group. Its twin is torch's SyncBatchNorm.

    Made of one that is there: `synchronised` does it for a whole network. In evaluation mode it is
    a `BatchNorm2d`. Running statistics are the same on every rank.
    """

    group: Group

    @classmethod
    def of(cls, bn: BatchNorm2d, group: Group) -> Self:
        """With the arrays and the settings of another, which stays as it is."""
        made = object.__new__(cls)
        vars(made).update(vars(bn), group=group)
        return made

    def forward(self, x: Array) -> tuple[Array, Backward]:
        if not self.training:
            return super().forward(x)
        self.expect_features(x, self.num_features, "num_features")
        (y, mean, var, m), norm_back = sync_batch_norm(
            x, self.weight, self.bias, group=self.group, eps=self.eps
        )
        self.keep(mean, var, m)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dx, dw, db = norm_back(dy)
            return dx, {"weight": dw, "bias": db}

        return y, backward


def synchronised(net: Module, group: Group) -> Module:
    """A copy of a network that shares its arrays and normalises over the batch of all ranks."""
    if isinstance(net, BatchNorm2d):
        return SyncBatchNorm2d.of(net, group)
    net = net.copy()
    for name, child in net.children().items():
        setattr(net, name, synchronised(child, group))
    return net
