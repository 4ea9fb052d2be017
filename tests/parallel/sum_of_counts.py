"""Ranks of torchrun add counts up that no float64 holds, and each prints what it got."""

import numpy as np

from armlab.parallel.processes import ProcessGroup


def counts_of(rank):
    return np.array([[2**53 + 1, 2**60 + rank], [rank, 1 - rank]])


if __name__ == "__main__":
    with ProcessGroup(60.0) as group:
        total = group.sum(counts_of(group.rank))
        print(f"{total.dtype} {total.tolist()}\n", end="", flush=True)
