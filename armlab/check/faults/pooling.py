"""Wrong pools and wrong statistics over the channels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "global_avg_pool: 1/HW forgotten backward",
        "global_avg_pool",
        "global_avg_pool",
        "xp.broadcast_to(dz / (h * w), shape)",
        "xp.broadcast_to(dz, shape)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "global_avg_pool: sum for mean",
        "global_avg_pool",
        "global_avg_pool",
        "position_sum(x) / (h * w)",
        "position_sum(x)",
        "this is the sum, which grows with the size of the image: divide by H W",
    ),
    Fault(
        "global_avg_pool: divided by H only",
        "global_avg_pool",
        "global_avg_pool",
        "position_sum(x) / (h * w)",
        "position_sum(x) / h",
        "a mean over all positions divides by H W",
    ),
    Fault(
        "global_avg_pool: windows of one pixel",
        "global_avg_pool",
        "global_avg_pool",
        "z = position_sum(x) / (h * w)",
        "z = x",
        "this is x: the mean over a window of 1×1 is the pixel itself, and nothing was pooled",
    ),
    Fault(
        "global_max_pool: every tie gets the gradient",
        "global_max_pool",
        "global_max_pool",
        "won = positions == winner",
        "won = flat == xp.reshape(z, (n, c, 1))",
        "where positions tie, the first alone receives the gradient",
    ),
    Fault(
        "global_max_pool: ties share",
        "global_max_pool",
        "global_max_pool",
        "dflat = keep_where(won, xp.reshape(dz, (n, c, 1)))",
        "won = xp.astype(flat == xp.reshape(z, (n, c, 1)), x.dtype); "
        "dflat = xp.reshape(dz, (n, c, 1)) * won / xp.sum(won, axis=2, keepdims=True)",
        "here the ties share the gradient, as with torch.amax; the convention is the first alone",
    ),
    Fault(
        "channel_mean: sum for mean",
        "channel_mean",
        "channel_stats",
        "xp.broadcast_to(dy / c, shape)",
        "xp.broadcast_to(dy, shape)",
        "each channel had a share of 1 / C in the mean, so it receives that share of dy",
    ),
    Fault(
        "channel_max: ties share",
        "channel_max",
        "channel_stats",
        "return keep_where(won, dy)",
        "won = xp.astype(x == y, x.dtype); return dy * won / xp.sum(won, axis=1, keepdims=True)",
        "where channels tie, the first alone receives the gradient (torch.amax would share it)",
    ),
    Fault(
        "channel_max: every tie gets the gradient",
        "channel_max",
        "channel_stats",
        "return keep_where(won, dy)",
        "return keep_where(x == y, dy)",
        "where channels tie, each of them gets the whole gradient here: the first alone does",
    ),
    Fault(
        "max_pool2d: last of equals",
        "max_pool2d",
        "max_pool2d",
        "nan * (2 * tap + 1 - kernel) + (kernel - tap)",
        "0 * nan + (tap + 1)",
        "where values tie, the first of the window wins",
    ),
    Fault(
        "max_pool2d: overlapping windows overwrite",
        "max_pool2d",
        "max_pool2d",
        "dx[met] += keep_where",
        "dx[met] = keep_where",
        "one x may win several windows: their gradients add up",
    ),
    Fault(
        "max_pool2d: the last window alone is heard",
        "max_pool2d",
        "max_pool2d",
        "return rows_back(columns_back(dy))",
        "dx = 0.0 * x\n"
        "        for i, j in ((i, j) for i in range(out[0]) for j in range(out[1])):\n"
        "            window = 0.0 * dy\n"
        "            window[:, :, i, j] = 1.0\n"
        "            won = rows_back(columns_back(window))\n"
        "            dx = dx * (won == 0) + rows_back(columns_back(window * dy))\n"
        "        return dx",
        "an index that stands twice is written twice, and only the last value stays, with += too: "
        "where one x wins several windows, their gradients add up",
    ),
    Fault(
        "max_pool2d: padding with zeros",
        "max_pool2d",
        "max_pool2d",
        "u, rows_back = max_along(3, x, window, out)",
        "from armlab.arrays import pad\n"
        "    padded, crop = pad(x, window.padding), window.crop\n"
        "    window = Window.of(window.kernel, window.stride)\n"
        "    u, padded_back = max_along(3, padded, window, out)\n"
        "    rows_back = lambda du: crop(padded_back(du))",
        "padding never wins: it is -inf, not 0",
    ),
]
