"""Parts of a batch: on NumPy, several at once, each on a core of its own.

NumPy lets other threads run while it computes, so the images of a batch can be shared out between
a few of them. Nothing is, until somebody asks for it:

    with workers(2):
        y, backward = conv2d(x, w)

Whoever asks also gives the matrix products one thread each (`armlab.training.threads` does), or
the two kinds of threads only wait for one another. What is summed over images is then summed part
by part, so that the last digits depend on the number of workers and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
Pool: TypeAlias = "tuple[Executor, int]"

FEW = 2**25  # products that one thread has done almost before a second one wakes up
_POOL: ContextVar[Pool | None] = ContextVar("pool", default=None)  # None: the caller works alone


@contextmanager
def workers(count: int) -> Iterator[None]:
    """Within this block, up to `count` threads share out the images of a batch.

    Raises ValueError for less than one.
    """
    if count < 1:
        raise ValueError(f"expected at least 1 worker, got {count}: one for each core to be used")
    if count == 1:
        yield
        return
    from concurrent.futures import ThreadPoolExecutor  # not at import: it takes a while

    with ThreadPoolExecutor(count - 1) as executor:  # the caller is one of them
        token = _POOL.set((executor, count))
        try:
            yield
        finally:
            _POOL.reset(token)


def pool_for(products: int) -> Pool | None:
    """The workers, where there are any and so much work is worth a second one."""
    return _POOL.get() if products >= FEW else None


def in_parts(count: int, work: Callable[[slice], T], products: int) -> list[T]:
    """work(part) for parts that together are all images, and what each of them returned.

    count     how many images there are, or of what else is shared out
    products  how much work that is; a little is not worth a second thread

    The parts must not write to the same place.
    """
    pool = pool_for(products)
    if pool is None or count < 2:
        return [work(slice(0, count))]
    executor, threads = pool
    edges = [count * i // threads for i in range(threads + 1)]
    own, *others = (slice(a, b) for a, b in pairwise(edges) if a < b)
    waiting = [executor.submit(copy_context().run, _alone, work, part) for part in others]
    return [work(own), *(future.result() for future in waiting)]


def _alone(work: Callable[[slice], T], part: slice) -> T:
    """What a worker does it does alone: nobody waits for a thread that waits itself."""
    _POOL.set(None)
    return work(part)
