"""The gradient of a bias on CuPy: the sum of each channel's values, by as many blocks as it takes.

A block for a channel is enough where a channel is small, and where there are many channels. With 19
classes on a large map it would leave most of a card idle: there a channel is cut into slices by
`cuda/channel_sum.cu`, whose sums are added up. Launches: 2, and 1 where nothing is cut.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.means_in_tiles import total
from armlab.hand.kernels.slices import Cut
from armlab.hand.kernels.tiles import Along

BLOCKS = 1056  # of 256 threads, which the 132 processors of a large card hold at once


def channel_sum(x: Array) -> Array:
    """Equals `channels.channel_sum` to the order of its sums."""
    n, c, h, w = x.shape
    cut = Cut("channel_sum", x, most=-(-BLOCKS // c))
    if cut.slices == 1:
        return total(x, Along(c, h * w, 1, images=n))
    parts = cuda.empty(x, (c, cut.slices))
    cut.launch("sum_slices", cuda.contiguous(x), parts)  # (1)
    return total(parts, Along(c, cut.slices, 1))
