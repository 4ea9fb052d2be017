"""Faults of CUDA code, planted one at a time in the right programs, and what catches each.

`python tests/emulator/faults.py` prints them as a table.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import block_programs  # noqa: F401  its programs are entered
import numpy as np
from programs import PROGRAMS, Died, Wrong


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
        if isinstance(error, Died):
            return cls.SIGNAL
        if isinstance(error, Wrong):
            return cls.NAN if "leaves NaN" in str(error) else cls.VALUE
        said = (way for words, way in SAID.items() if re.search(words, str(error)))
        return next(said, cls.REFUSED)


SAID = {
    "hangs|has a barrier|does not end": Way.BARRIER,
    "gives another result": Way.ORDER,
    "divides an integer by zero": Way.TRAP,
    r"kernel \w+ (reads|writes|takes) ": Way.ACCESS,
}


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
FAULTS = [
    # -- which element
    Fault(
        "the tail of the last block is not guarded",
        "scale",
        Way.ACCESS,
        r"scale reads just behind the 1200 bytes of argument 1 .*: thread \(44, 0, 0\) of",
        was="if (i < n) ",
        now="",
    ),
    Fault(
        "one element more than there is",
        "scale",
        Way.ACCESS,
        r"scale reads just behind the 1200 bytes of argument 1 \(const float\* x\)",
        was="i < n",
        now="i <= n",
    ),
    Fault(
        "one element more than there is, of a size that is no multiple of 16 bytes",
        "scale",
        Way.ACCESS,
        r"scale writes just behind the 1204 bytes of argument 2 \(float\* y\)",
        was="i < n",
        now="i <= n",
        host={"n": 301},
    ),
    Fault(
        "an index of −1, at the beginning of a page",
        "blur",
        Way.ACCESS,
        r"blur reads 4 bytes before the 4096 bytes of argument 1 \(const float\* x\)",
        was="i > 0 ? x[i - 1] : 0",
        now="x[i - 1]",
    ),
    Fault(
        "an index of −1, within a page",
        "blur",
        Way.NAN,
        r"blur leaves NaN at \(0,\) of argument 2 \(float\* y\)",
        was="i > 0 ? x[i - 1] : 0",
        now="x[i - 1]",
        host={"n": 1000},
    ),
    Fault(
        "a write to index −1, within a page",
        "blur",
        Way.ACCESS,
        r"blur writes 4 bytes before the 4000 bytes of argument 2 \(float\* y\)",
        was="y[i] =",
        now="y[i - 1] =",
        host={"n": 1000},
    ),
    Fault(
        "the stride of the wrong axis, read",
        "transpose",
        Way.VALUE,
        r"transpose leaves \S+ at \(0, 1\) of argument 2 \(float\* y\), expected",
        was="x[row * width",
        now="x[row * height",
        host={"n": 7},
    ),
    Fault(
        "the stride of the wrong axis, written",
        "transpose",
        Way.ORDER,
        r"transpose gives another result .* argument 2 \(float\* y\)",
        was="y[column * height",
        now="y[column * width",
    ),
    Fault(
        "an index of 32 bits into 2³¹ elements",
        "far",
        Way.ACCESS,
        r"far writes .*: thread \(0, 0, 0\) of block \(8388609, 0, 0\)",
        was="long long i = (long long)",
        now="int i = ",
    ),
    Fault(
        "a guard of 32 bits for 2³¹ elements",
        "far",
        Way.VALUE,
        r"far leaves -1 at \(0,\) of argument 1 \(signed char\* y\), expected",
        was="if (i < n)",
        now="if ((int)i < (unsigned)n && (int)i >= 0)",
    ),
    Fault(
        "four floats at once from an address that is no multiple of 16",
        "twice",
        Way.ACCESS,
        r"twice reads a vector at an address that is not a multiple of its size: thread",
        was="reinterpret_cast<const float4*>(x)",
        now="reinterpret_cast<const float4*>(x + 1)",
    ),
    Fault(
        "two threads write to one place",
        "scale",
        Way.ORDER,
        r"scale gives another result when its threads run backward, .* argument 2 \(float\* y\)",
        was="y[i]",
        now="y[i / 2]",
    ),
    Fault(
        "too few blocks",
        "scale",
        Way.NAN,
        r"scale leaves NaN at \(256,\) of argument 2 \(float\* y\)",
        host={"spare_blocks": -1},
    ),
    Fault(
        "an element that one branch does not write",
        "relu",
        Way.NAN,
        r"relu leaves NaN at \(\d+,\) of argument 2 \(float\* y\)",
        was=" else y[i] = 0;",
        now="",
    ),
    Fault(
        "a loop over the grid that skips elements",
        "relu",
        Way.NAN,
        r"relu leaves NaN at \(128,\) of argument 2 \(float\* y\)",
        was="i += gridDim.x * blockDim.x",
        now="i += 2 * gridDim.x * blockDim.x",
    ),
    # -- numbers
    Fault(
        "a double handed to a float",
        "scale",
        Way.VALUE,
        r"scale leaves -?0.0 at \(0,\) of argument 2 \(float\* y\), expected -?\d",
        host={"factor": np.float64},
    ),
    Fault(
        "an integer of Python handed to a float",
        "scale",
        Way.VALUE,
        r"scale leaves \S+ at \(0,\) of argument 2 \(float\* y\), expected -?\d",
        host={"factor": int},
    ),
    Fault(
        "double where the array holds float",
        "scale",
        Way.ACCESS,
        r"scale reads just behind the 1200 bytes of argument 1 \(const double\* x\)",
        was="const float* x",
        now="const double* x",
    ),
    Fault(
        "a sum of doubles in a float",
        "norm",
        Way.VALUE,
        r"norm leaves \S+ at \(0,\) of argument 2 \(double\* y\), expected \S+ ± \d\S*e-1\d",
        was="double sum",
        now="float sum",
    ),
    Fault(
        "an integer divided by zero",
        "ratio",
        Way.TRAP,
        r"ratio divides an integer by zero",
        was="by[i] ? x[i] / by[i] : 0",
        now="x[i] / by[i]",
    ),
    Fault(
        "a sum of floats by atomics",
        "by_class",
        Way.ORDER,
        r"by_class gives another result .* argument 3 \(long long\* sums\)",
        was="atomicAdd((unsigned long long*)&sums[labels[i]], (unsigned long long)fixed)",
        now="atomicAdd((float*)&sums[labels[i]], x[i])",
    ),
    # -- memory of the block, and barriers
    Fault(
        "no barrier within a loop",
        "total",
        Way.ORDER,
        r"total gives another result when its threads run \w+, .* argument 2 \(float\* sums\)",
        was="part[t + half];\n    __syncthreads();",
        now="part[t + half];",
    ),
    Fault(
        "no barrier between writing and reading",
        "turn",
        Way.ORDER,
        r"turn gives another result when its threads run \w+, .* argument 2 \(float\* y\)",
        was="  __syncthreads();\n",
        now="",
    ),
    Fault(
        "no barrier between warps, each of which is right",
        "by_warps",
        Way.ORDER,
        r"by_warps gives another result when its threads run \w+, .* argument 2 \(float\* y\)",
        was="  __syncthreads();\n",
        now="",
    ),
    Fault(
        "threads of a warp that count on running in step",
        "neighbour",
        Way.ORDER,
        r"neighbour gives another result when its threads run \w+, .* argument 2 \(float\* y\)",
        was="  __syncwarp();\n",
        now="",
    ),
    Fault(
        "blocks that count on others having run",
        "centred",
        Way.ORDER,
        r"centred gives another result when its threads run \w+, .* argument \d \(float\* \w+\)",
        host={"launches": ((0, 2),)},
    ),
    Fault(
        "neighbours read where they are written",
        "blur",
        Way.ORDER,
        r"blur gives another result when its threads run \w+, .* argument 1 \(const float\* x\)",
        host={"in_place": True},
    ),
    Fault(
        "shared memory that nobody wrote",
        "total",
        Way.NAN,
        r"total leaves NaN at \(2,\) of argument 2 \(float\* sums\)",
        was="part[t] = i < n ? x[i] : 0;",
        now="if (i < n) part[t] = x[i];",
    ),
    Fault(
        "dynamic shared memory for fewer threads than there are",
        "total",
        Way.ACCESS,
        r"total writes behind its dynamic shared memory: thread \(124, 0, 0\)",
        host={"shared": 124 * 4},
    ),
    Fault(
        "one element more than static shared memory has",
        "turn",
        Way.ACCESS,
        r"turn takes element 128 of 'float \[128\]' in line 7: thread \(0, 0, 0\) of block",
        was="tile[127 - t]",
        now="tile[128 - t]",
    ),
    Fault(
        "an index of −1 into static shared memory",
        "turn",
        Way.ACCESS,
        r"turn takes element -1 of 'float \[128\]' in line 5: thread \(0, 0, 0\) of block",
        was="tile[t] =",
        now="tile[t - 1] =",
    ),
    Fault(
        "a barrier in a branch that some threads take",
        "total",
        Way.BARRIER,
        r"total has a barrier that only some threads of a block reach",
        was="if (t < half) part[t] += part[t + half];\n    __syncthreads();",
        now="if (t < half) { part[t] += part[t + half]; __syncthreads(); }",
    ),
    Fault(
        "a barrier behind an early return",
        "total",
        Way.BARRIER,
        r"total has a barrier that only some threads of a block reach: others have ended",
        was="part[t] = i < n ? x[i] : 0;",
        now="if (i >= n) return;\n  part[t] = x[i];",
    ),
    Fault(
        "warps that wait for each other in loops",
        "by_warps",
        Way.BARRIER,
        r"by_warps does not end: a thread waits in a loop for what never comes: thread \(0, 0, 0\)",
        was="  __syncthreads();\n",
        now="  __syncthreads();\n  while (t < 32 && *(volatile float*)&part[3] == part[3]) {}\n",
    ),
    Fault(
        "half of a warp at one barrier, half at another",
        "by_warps",
        Way.BARRIER,
        r"by_warps hangs: threads of a block wait at different barriers",
        was="  __syncthreads();\n",
        now="  if (lane < 16) __syncthreads(); else __syncwarp();\n",
    ),
    # -- the launch, and the host
    Fault(
        "more than 1,024 threads in a block",
        "scale",
        Way.REFUSED,
        r"scale is launched with 1025 × 1 × 1 threads in a block: at most 1,024",
        host={"threads": 1025},
    ),
    Fault(
        "more static shared memory than a block has",
        "turn",
        Way.REFUSED,
        r"turn wants 49156 bytes of shared memory: it has 49152",
        was="tile[128]",
        now="tile[12289]",
    ),
    Fault(
        "more dynamic shared memory than was asked for beforehand",
        "total",
        Way.REFUSED,
        r"total wants 49153 bytes of shared memory: it has 49152",
        host={"shared": 49153},
    ),
    Fault(
        "more dynamic shared memory than any block has",
        "total",
        Way.REFUSED,
        r"total asks for 232449 bytes of dynamic shared memory: at most 232448",
        host={"allowed": 232449},
    ),
    Fault(
        "memory of the host",
        "scale",
        Way.REFUSED,
        r"scale gets an address of the host, 0x\w+, as argument 1 \(const float\* x\)",
        host={"input_of": in_host_memory},
    ),
    Fault(
        "memory that was freed",
        "scale",
        Way.ACCESS,
        r"scale reads 1200 bytes that were freed, of argument 1 \(const float\* x\)",
        host={"input_of": freed},
    ),
    Fault(
        "a copy of more bytes than there are",
        "scale",
        Way.REFUSED,
        r"a copy reads 1204 bytes from byte 0 of an allocation of 1200",
        host={"more_bytes": 4},
    ),
    Fault(
        "the host reads the device's memory",
        "peek",
        Way.SIGNAL,
        r"SIGSEGV: armlab: the host touches memory of the emulated device: copy it first",
        host={"read": "[ctypes.c_float.from_address(y.data.ptr).value]"},
    ),
]


def table() -> str:
    """The faults and what catches each, in Markdown."""
    rows = [f"| {f.name} | {f.way.value} |" for f in sorted(FAULTS, key=lambda f: f.way.value)]
    return "\n".join(["| fault | what catches it |", "|---|---|", *rows])


if __name__ == "__main__":
    print(table())
