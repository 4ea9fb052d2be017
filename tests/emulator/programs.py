"""Right CUDA kernels, each with the host code that launches it and the value that it must give.

A program is played with a kernel, which is its own or one with a planted fault, and with host code
that does as it should unless an option says otherwise: see `faults.py`. Its outcome is held to
NumPy: exactly where every step is exact, else under a bound with its argument beside it. Data are
drawn anew each time.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from armlab import emulator

INTEGERS = (-8, 9)  # of which every sum and product here is exact, in whatever order
PROGRAMS: dict[str, "Program"] = {}


class Wrong(AssertionError):
    """A result is not what it must be."""


class Died(AssertionError):
    """A process ended by a signal."""


@dataclass(frozen=True)
class Outcome:
    """What a kernel left in an argument, and what it must be, up to a bound."""

    argument: str
    got: np.ndarray
    want: np.ndarray
    bound: Any = 0

    def hold(self, kernel: str) -> None:
        """Raise Wrong where they differ, with the first place."""
        assert self.got.shape == self.want.shape, kernel
        assert self.got.size, f"{kernel} has no result to look at"
        wrong = ~(np.abs(self.got.astype(self.want.dtype) - self.want) <= self.bound)
        if not wrong.any():
            return
        at = tuple(map(int, np.argwhere(wrong)[0]))
        got, want, place = self.got[at], self.want[at], f"at {at} of {self.argument}"
        if np.isnan(got):
            raise Wrong(f"kernel {kernel} leaves NaN {place}: nobody wrote there, or what is NaN")
        raise Wrong(f"kernel {kernel} leaves {got} {place}, expected {want} ± {self.bound}")


@dataclass(frozen=True)
class Program:
    """A right kernel, in CUDA C++, and the host code around it.

    play      (cupy, the kernel, numpy's generator, n, options of the host) → Outcome
    examples  how many are worth their time
    """

    name: str
    cuda: str
    play: Callable[..., Outcome]
    examples: int

    def run(self, cp: Any, cuda: str, seed: int, **host: Any) -> None:
        """Once in strict mode, with this source in place of the right one."""
        with emulator.strict(seed, seconds=2):
            kernel = cp.RawKernel(cuda, self.name)
            self.play(cp, kernel, np.random.default_rng(seed), **host).hold(self.name)


def program(cuda: str, examples: int = 5) -> Callable[[Callable[..., Outcome]], Program]:
    """Enter a function as the host code of this kernel, whose name it has."""

    def enter(play: Callable[..., Outcome]) -> Program:
        name: str = play.__name__
        PROGRAMS[name] = Program(name, cuda, play, examples)
        return PROGRAMS[name]

    return enter


def blocks(n: int, threads: int) -> tuple[int]:
    return (-(-n // threads),)


def integers(cp: Any, rng: np.random.Generator, *shape: int, dtype: str = "float32") -> Any:
    """An array of integers on the host, and the same on the device."""
    values = rng.integers(*INTEGERS, size=shape).astype(dtype)
    return values, cp.asarray(values)


@program(r"""
extern "C" __global__ void scale(const float* x, float* y, float a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i];
}
""")
def scale(
    cp: Any,
    kernel: Any,
    rng: np.random.Generator,
    n: int = 300,
    threads: int = 128,
    factor: Callable[[float], Any] = np.float32,
    input_of: Callable[[Any], Any] = lambda x: x,
    spare_blocks: int = 0,
    more_bytes: int = 0,
) -> Outcome:
    """One product, which NumPy rounds as the device does."""
    x = rng.standard_normal(n).astype("float32")
    on_device, y, got = cp.asarray(x), cp.empty(n, "float32"), np.empty(n, "float32")
    grid = blocks(n, threads)[0] + spare_blocks
    kernel((grid,), (threads,), (input_of(on_device), y, factor(3), np.int32(n)))
    cp.cuda.runtime.memcpy(got.ctypes.data, y.data.ptr, got.nbytes + more_bytes, 2)
    return Outcome("argument 2 (float* y)", got, np.float32(3) * x)


@program(r"""
extern "C" __global__ void blur(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float left = i > 0 ? x[i - 1] : 0;
  float right = i < n - 1 ? x[i + 1] : 0;
  y[i] = (left + 2 * x[i] + right) / 4;
}
""")
def blur(
    cp: Any, kernel: Any, rng: np.random.Generator, n: int = 1024, in_place: bool = False
) -> Outcome:
    """Integers in, sums of at most 32 divided by a power of two out: exact. 1,024 fill a page."""
    x, on_device = integers(cp, rng, n)
    y = on_device if in_place else cp.empty(n, "float32")
    kernel(blocks(n, 128), (128,), (on_device, y, np.int32(n)))
    left, _, right = (np.pad(x, 1)[k : k + n] for k in range(3))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), (left + 2 * x + right) / 4)


@program(r"""
extern "C" __global__ void transpose(const float* x, float* y, int height, int width) {
  int column = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < height && column < width)
    y[column * height + row] = x[row * width + column];
}
""")
def transpose(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 37) -> Outcome:
    """Numbers are moved, from n × 19 to 19 × n."""
    x = rng.standard_normal((n, 19)).astype("float32")
    y = cp.empty((19, n), "float32")
    grid = blocks(19, 8) + blocks(n, 4)
    kernel(grid, (8, 4), (cp.asarray(x), y, np.int32(n), np.int32(19)))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), x.T)


@program(
    r"""
extern "C" __global__ void far(signed char* y, long long n) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = i % 101;
}
""",
    examples=1,
)
def far(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 2**31 + 300) -> Outcome:
    """Only the last two blocks of more than 2³¹ threads run. A byte that nobody writes is −1.

    The array must go even where the kernel stops: strict mode copies what is alive.
    """
    n = max(n, 2**31 + 300)
    last = blocks(n, 256)[0] - 1
    y = cp.empty(n, "int8")
    written = np.arange((last - 1) * 256, n)
    try:
        with emulator.only_blocks([last, last - 1]):
            kernel((last + 1,), (256,), (y, np.int64(n)))
        return Outcome("argument 1 (signed char* y)", y[written[0] :].get(), written % 101)
    finally:
        del y


@program(r"""
extern "C" __global__ void relu(const float* x, float* y, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    if (x[i] > 0) y[i] = x[i]; else y[i] = 0;
}
""")
def relu(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """Numbers are moved, or 0. The loop strides over the grid, so that few blocks are enough."""
    x = rng.standard_normal(n).astype("float32")
    y = cp.empty(n, "float32")
    kernel((2,), (64,), (cp.asarray(x), y, np.int32(n)))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), np.maximum(x, 0))


@program(r"""
extern "C" __global__ void ratio(const int* x, const int* by, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = by[i] ? x[i] / by[i] : 0;
}
""")
def ratio(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """C++ divides integers towards 0, as the quotient of exact floats cut off does."""
    x, on_device = integers(cp, rng, n, dtype="int32")
    by = rng.integers(0, 5, n).astype("int32")
    by[n // 2] = 0
    y = cp.empty(n, "int32")
    kernel(blocks(n, 128), (128,), (on_device, cp.asarray(by), y, np.int32(n)))
    want = np.where(by == 0, 0, np.trunc(x / np.maximum(by, 1))).astype("int32")
    return Outcome("argument 3 (int* y)", cp.asnumpy(y), want)


@program(r"""
extern "C" __global__ void twice(const float* x, float* y, int n) {
  int i = threadIdx.x;
  const float4* fours = reinterpret_cast<const float4*>(x);
  if (i < n / 4) {
    float4 v = fours[i];
    reinterpret_cast<float4*>(y)[i] = make_float4(2 * v.x, 2 * v.y, 2 * v.z, 2 * v.w);
  }
  if (i < n % 4) y[n - 1 - i] = 2 * x[n - 1 - i];
}
""")
def twice(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 303) -> Outcome:
    """Four at a time, and the rest one by one. Doubling is exact."""
    x = rng.standard_normal(n).astype("float32")
    y = cp.empty(n, "float32")
    kernel((1,), (256,), (cp.asarray(x), y, np.int32(n)))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), 2 * x)


@program(r"""
extern "C" __global__ void by_class(const float* x, const int* labels, long long* sums, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  long long fixed = rint(x[i] * 65536.0);
  atomicAdd((unsigned long long*)&sums[labels[i]], (unsigned long long)fixed);
}
""")
def by_class(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """Sums in units of 2⁻¹⁶: integers, whose order does not matter. rint rounds as NumPy's does."""
    x, labels = rng.standard_normal(n).astype("float32"), rng.integers(0, 7, n).astype("int32")
    sums, want = cp.zeros(7, "int64"), np.zeros(7, "int64")
    kernel(blocks(n, 128), (128,), (cp.asarray(x), cp.asarray(labels), sums, np.int32(n)))
    np.add.at(want, labels, np.rint(x.astype("float64") * 65536).astype("int64"))
    return Outcome("argument 3 (long long* sums)", cp.asnumpy(sums), want)


PEEK = """
import ctypes
from armlab import emulator
emulator.install()
import cupy as cp
import numpy as np
with emulator.strict():
    x, y = cp.asarray(np.array({values}, "float32")), cp.empty({n}, "float32")
    cp.RawKernel({cuda!r}, "peek")((1,), ({n},), (x, y))
    print({read})
"""


@program(
    r"""
extern "C" __global__ void peek(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; }
""",
    examples=1,
)
def peek(
    cp: Any, kernel: Any, rng: np.random.Generator, n: int = 5, read: str = "y.tolist()"
) -> Outcome:
    """In a process of its own: a fault there is the host's, which ends by a signal."""
    x = rng.integers(*INTEGERS, size=n).astype("float32")
    script = PEEK.format(values=x.tolist(), n=n, cuda=PROGRAMS["peek"].cuda, read=read)
    here = str(Path(emulator.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": here},
    )
    if done.returncode < 0:
        raise Died(f"{signal.Signals(-done.returncode).name}: {done.stderr}")
    assert done.returncode == 0, done.stderr
    got = np.array(eval(done.stdout), "float32")
    return Outcome("argument 2 (float* y)", got, x)
