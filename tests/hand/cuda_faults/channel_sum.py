"""Wrong versions of the pages of channel_sum, which has no case: see test_cuda_channel_sum.py."""

FAULTS = [
    ("means", "n < v.images", "n < 1", "channel_sum", "a bias hears the first image alone"),
    (
        "channel_sum",
        "mine += x[walk.at];",
        "mine = x[walk.at];",
        "channel_sum",
        "each thread's last value alone counts",
    ),
    (
        "channel_sum",
        "parts[blockIdx.x] = sum;",
        "parts[blockIdx.x % s.slices] = sum;",
        "channel_sum",
        "all channels write to the first one's place",
    ),
    (
        "channel_sum",
        "at += s.stride;",
        "at += THREADS;",
        "channel_sum",
        "among 256 values there may be whole images",
    ),
    (
        "channel_sum",
        "if (pixel >= s.p) pixel -= s.p, at += s.gap;",
        "",
        "channel_sum",
        "behind an image its other channels are not passed over",
    ),
    (
        "channel_sum",
        "left = min(begin + s.length, s.n * s.p) - first;",
        "left = begin + s.length - first;",
        "channel_sum",
        "the last slice goes on behind its channel",
    ),
]
