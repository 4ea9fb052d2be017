"""How many cores the modules by hand use: for this, two libraries and the memory have to agree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from armlab.extras import expect_packages
from armlab.hand.kernels.parts import workers
from armlab.training.memory import keep_freed_memory


def expect_cores(count: int) -> None:
    """Raise ValueError for more threads than this machine has cores: PyTorch may die of it.

    Asked of a new run alone: one that goes on elsewhere has the settings that it began with.
    """
    cores = os.cpu_count() or count
    if count > cores:
        raise ValueError(
            f"expected --threads of 1 to {cores}, the cores here, got {count}: "
            "a core has one thread"
        )


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Within this block, the modules by hand use up to `count` cores, and no more.

    The images of a batch are shared out between so many threads, each of which does its matrix
    products alone: faster than one thread with products on several cores, since what stands
    between the products is shared out as well. With 1 the sums are the same on any machine.
    PyTorch, where it is used, shares out its loops between as many.

    Raises ValueError for less than one, RuntimeError where threadpoolctl is missing.
    """
    expect_packages({"threadpoolctl": "threadpoolctl"})
    from threadpoolctl import threadpool_limits

    keep_freed_memory()
    with threadpool_limits({"blas": 1, "openmp": count}), workers(count):
        yield
