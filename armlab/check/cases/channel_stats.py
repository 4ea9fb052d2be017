"""Mean and max over the channels."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs, nothing_rounds
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x, smooth
from armlab.check.strategies import Source


def channel_statistic(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def channel_mean_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, _, h, w = s.features()
    x = s.array("x", (n, s.pick(1, 2, 4, 16), h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def bound_mean(e: Example, exact: Exact, u: float) -> Bounds:
    """A sum of C terms times a share 1 / C that is itself rounded."""
    (x,) = float64_inputs(e).values()
    y = (x.shape[1] + 1) * u * np.abs(x).mean(axis=1, keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


TIMED = (Timed({"x": (8, 32, 64, 64)}),)
CASES = [
    Case(
        "channel_mean",
        channel_statistic,
        bound_mean,
        channel_mean_exact,
        calls={"": of_x(smooth)},
        cost=(0, 420),
        timed=TIMED,
    ),
    Case(
        "channel_max",
        channel_statistic,
        nothing_rounds,
        channel_statistic,
        calls={"": of_x(apart)},
        cost=(0, 420),
        timed=TIMED,
    ),
]

FAULTS = [
    Fault(
        "channel_mean: sum for mean",
        "channel_mean",
        "channel_stats",
        "channel_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy, shape)",
        "each channel had a share of 1 / C in the mean, so it receives that share of dy",
    ),
    Fault(
        "channel_max: ties share",
        "channel_max",
        "channel_stats",
        "channel_max.backward",
        "(2)",
        "won = xp.astype(x == y, x.dtype)\nreturn dy * won / xp.sum(won, axis=1, keepdims=True)",
        "where channels tie, the first alone receives the gradient (torch.amax would share it)",
    ),
    Fault(
        "channel_max: every tie gets the gradient",
        "channel_max",
        "channel_stats",
        "channel_max.backward",
        "(2)",
        "return xp.where(x == y, dy, 0.0)",
        "where channels tie, each of them gets the whole gradient here: the first alone does",
    ),
    Fault(
        "UAFMChannel: gradients of the statistics overlap",
        "UAFMChannel",
        "channel_stats",
        "stack_statistics.backward",
        "dz1, dz2",
        "k = dm.shape[1] // 2\ndz1, dz2 = dm[:, :k, :, :], dm[:, 1 : k + 1, :, :]",
        "each statistic has k channels: the second one's begin at k, not at 1",
    ),
    Fault(
        "ListedSAR: only the mean goes back",
        "ListedSAR",
        "channel_stats",
        "stack_statistics.backward",
        "return",
        "return first_back(dz1)",
        "r is used by both statistics: the gradient of the max is missing",
    ),
    Fault(
        "ListedSAR: gradients of mean and max swapped",
        "ListedSAR",
        "channel_stats",
        "stack_statistics.backward",
        "dz1, dz2",
        "dz2, dz1 = concat_back(dm)",
        "dm has the order of m: the mean's gradient first, then the max's",
    ),
    Fault(
        "ListedSAR: sum for mean backward",
        "ListedSAR",
        "channel_stats",
        "channel_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy, shape)",
        "each channel had a share of 1 / C in the mean, so it receives that share of its gradient",
    ),
    Fault(
        "ListedSAR: the max goes back to every channel",
        "ListedSAR",
        "channel_stats",
        "channel_max.backward",
        "(2)",
        "return xp.broadcast_to(dy, x.shape)",
        "the max passed one channel on, so that channel alone receives its gradient",
    ),
    Fault(
        "SAR: only the first statistic goes back",
        "SAR",
        "channel_stats",
        "stack_statistics.backward",
        "return",
        "return first_back(dz1)",
        "x is used by each statistic: all gradients belong to it",
    ),
    Fault(
        "channel_mean_product: sum for mean",
        "channel_mean",
        "kernels/channel_mean_product",
        "channel_mean.backward",
        "(2)",
        "return np.broadcast_to(dy, shape)",
        "each channel had a share of 1 / C in the mean, so it receives that share of dy",
    ),
    Fault(
        "channel_max_ranks: last of equals",
        "channel_max",
        "kernels/channel_max_ranks",
        "channel_max.backward",
        "rank",
        "rank = np.arange(1, c + 1, dtype=np.int32).reshape(1, c, 1, 1)",
        "where channels tie, the first alone receives the gradient",
    ),
]
