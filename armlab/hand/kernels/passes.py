"""Passes over memory: block by block, and the blocks shared out between workers.

NumPy goes through its arrays once for each operation. Where a block goes through all of them before
the next one does, what stands between them is still in the cache; and where there are workers, see
`parts`, each has blocks of its own. All write into views of one result, so nothing is put together
afterwards; and where each element is taken by itself, no bit depends on blocks or workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.hand.kernels.parts import in_parts, pool_for

BLOCK = 2**20  # numbers of an array that are worked on at once: 4 MiB in float32
PASS = 12  # multiply-adds of a convolution in the time in which a pass takes a number


def in_blocks(work: Callable[[slice], Any], count: int, numbers: int, passes: int) -> None:
    """work(block) for slices that together are all of `count`, such as channels.

    numbers  in all of them together
    passes   how often work goes through these: a little is not worth a second thread
    """
    each = max(1, BLOCK * count // max(numbers, 1))

    def of_part(part: slice) -> None:
        for start in range(part.start, part.stop, each):
            work(slice(start, min(start + each, part.stop)))

    in_parts(count, of_part, PASS * passes * numbers)


def elementwise(work: Callable[..., Any], *given: np.ndarray, passes: int) -> np.ndarray:
    """A new array like the first one, which work(*given, found) fills, each element by itself.

    Blocks are cut from arrays that lie in memory as they are read; others are worked on whole.
    """
    found = np.empty_like(given[0])
    arrays, numbers = (*given, found), found.size
    one_block = numbers <= BLOCK and not pool_for(PASS * passes * numbers)
    if one_block or not all(a.flags.c_contiguous for a in arrays):
        work(*arrays)
        return found
    flat = [a.reshape(-1) for a in arrays]
    in_blocks(lambda block: work(*(a[block] for a in flat)), numbers, numbers, passes)
    return found
