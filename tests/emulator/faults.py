"""Faults of CUDA code, planted one at a time in the right programs, and what catches each.

`python tests/emulator/faults.py` prints them as a table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import block_programs  # noqa: F401  its programs are entered
import numpy as np
from programs import PROGRAMS, Died, Program, Wrong


class Way(Enum):
    """What a fault ends in."""

    ACCESS = "the access is an error"
    REFUSED = "the launch or copy is refused"
    BARRIER = "threads that wait are an error"
    ORDER = "another order of threads gives another result"
    TRAP = "the processor refuses the instruction"
    NAN = "the result holds NaN, which is what memory holds that nobody wrote"
    VALUE = "the result is not NumPy's"
    SIGNAL = "the process ends"

    @classmethod
    def of(cls, error: BaseException) -> "Way":
        """By what an exception says."""
        text = str(error)
        if isinstance(error, Died):
            return cls.SIGNAL
        if isinstance(error, Wrong):
            return cls.NAN if "leaves NaN" in text else cls.VALUE
        kinds = {
            "hangs|has a barrier": cls.BARRIER,
            "gives another result": cls.ORDER,
            "divides|not aligned": cls.TRAP,
            "(reads|writes) .*: thread": cls.ACCESS,
        }
        import re

        return next((way for words, way in kinds.items() if re.search(words, text)), cls.REFUSED)


@dataclass(frozen=True)
class Fault:
    """A wrong version of a program.

    name       what is wrong
    program    of `PROGRAMS`
    way, says  what catches it, and a regular expression for its sentence
    was, now   a statement of the kernel, which stands there once, and what takes its place
    host       options of the host code that make it wrong
    """

    name: str
    program: str
    way: Way
    says: str
    was: str = ""
    now: str = ""
    host: dict[str, Any] = field(default_factory=dict)

    def cuda(self) -> str:
        right = PROGRAMS[self.program].cuda
        if not self.was:
            return right
        assert right.count(self.was) == 1, f"{self.name}: {self.was!r} stands elsewhere, or twice"
        return right.replace(self.was, self.now)

    def run(self, cp: Any, seed: int) -> None:
        PROGRAMS[self.program].run(cp, self.cuda(), seed, **self.host)


def in_host_memory(x: Any) -> np.uint64:
    kept.append(np.zeros(x.shape, x.dtype))
    return np.uint64(kept[-1].ctypes.data)


def freed(x: Any) -> np.uint64:
    other = x.copy()
    return np.uint64(other.data.ptr)


kept: list[np.ndarray] = []
A, R, B, O = Way.ACCESS, Way.REFUSED, Way.BARRIER, Way.ORDER  # noqa: E741
FAULTS = [
    # -- which element
    Fault(
        "the tail of the last block is not guarded", "scale", A,
        r"scale reads 0 bytes behind the end of the 1200 bytes of argument 1 \(const float\* x\)",
        "if (i < n) ", "",
    ),
    Fault(
        "one element more than there is", "scale", A,
        r"scale reads 0 bytes behind the end of the 1200 bytes of argument 1 \(const float\* x\)",
        "i < n", "i <= n",
    ),
    Fault(
        "an index of −1, at the beginning of a page", "blur", A,
        r"blur reads 4 bytes before the 4096 bytes of argument 1 \(const float\* x\)",
        "i > 0 ? x[i - 1] : 0", "x[i - 1]",
    ),
    Fault(
        "an index of −1, elsewhere", "blur", Way.NAN,
        r"blur leaves NaN at \(0,\) of argument 2",
        "i > 0 ? x[i - 1] : 0", "x[i - 1]", {"n": 1000},
    ),
    Fault(
        "a write at index −1", "blur", A,
        r"blur writes 4 bytes before the 4000 bytes of argument 2 \(float\* y\)",
        "y[i] =", "y[i - 1] =", {"n": 1000},
    ),
    Fault(
        "the stride of the wrong axis, read", "transpose", Way.VALUE,
        r"transpose leaves \S+ at \(0, 1\) of argument 2 \(float\* y\), expected",
        "x[row * width", "x[row * height",
        {"n": 7},
    ),
    Fault(
        "the stride of the wrong axis, written", "transpose", O,
        r"transpose gives another result .* argument 2 \(float\* y\)",
        "y[column * height", "y[column * width", {"n": 23},
    ),
    Fault(
        "an index of 32 bits into 2³¹ elements", "far", A,
        r"far writes .*: thread \(0, 0, 0\) of block \(8388609, 0, 0\)",
        "long long i = (long long)", "int i = ",
    ),
]  # fmt: skip
