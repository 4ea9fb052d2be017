"""Wrong versions of the CUDA pages, and how one is planted.

Each file has its FAULTS: (page, right, wrong, case, what is wrong).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from armlab.hand.kernels import cuda


@contextmanager
def planted(page: str, right: str, wrong: str, everywhere: bool = False) -> Iterator[None]:
    """Within this block a page says something else, at one place or wherever it says so."""
    text, source = cuda.source(page), cuda.source
    times = text.count(right)
    assert times == 1 or (everywhere and times), f"{page}.cu has {right!r} {times} times, not once"
    changed = text.replace(right, wrong)
    cuda.forget()
    try:
        with patch.object(cuda, "source", lambda p: changed if p == page else source(p)):
            yield
    finally:
        cuda.forget()


def fails(run: Callable[[], object]) -> bool:
    """Whether this sees what is planted. No array of it is kept: strict mode copies them all."""
    from cupy_backends.cuda.api.driver import CUDADriverError

    try:
        run()
    except (AssertionError, CUDADriverError):
        return True
    return False
