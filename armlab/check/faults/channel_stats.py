"""Wrong versions of `hand/channel_stats.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

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
        "first, *rest",
        "first, *rest = (back(dm[:, i : i + k, :, :]) for i, back in enumerate(backs))",
        "each statistic has k channels: the second one's begin at k, not at 1",
    ),
    Fault(
        "ListedSAR: only the mean goes back",
        "ListedSAR",
        "channel_stats",
        "stack_statistics.backward",
        "return",
        "return first",
        "r is used by both statistics: the gradient of the max is missing",
    ),
    Fault(
        "ListedSAR: gradients of mean and max swapped",
        "ListedSAR",
        "channel_stats",
        "stack_statistics.backward",
        "first, *rest",
        "last = len(backs) - 1\n"
        "parts = [dm[:, (last - i) * k : (last - i + 1) * k, :, :] for i in range(last + 1)]\n"
        "first, *rest = (back(part) for back, part in zip(backs, parts, strict=True))",
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
        "return first",
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
