"""Repeat an operand without copying it first.

Where an operand is repeated along fewer elements than NumPy's buffer has, 8,192 unless told
otherwise, its values are first repeated into that buffer, which takes as long as the work itself.
A small buffer is passed by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

SHORT = 512  # elements: to fill the buffer is as fast here as to begin anew for every few of them


@contextmanager
def unbuffered(run: int = SHORT) -> Iterator[None]:
    """Within this block, NumPy repeats an operand without copying it: twice as fast.

    run  along how many elements in memory it is repeated, where that may be short
    """
    if run < SHORT:
        yield
        return
    before = np.setbufsize(256)
    try:
        yield
    finally:
        np.setbufsize(before)
