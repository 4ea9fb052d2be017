"""An idle device: everything is refused and counted as ever, and nothing is done."""

import contextlib

import numpy as np
import pytest
from cublas_calls import ROUTINES, Routine

from armlab import emulator

pytestmark = pytest.mark.emulated
DOUBLED = """
extern "C" __global__ void doubled(const float* x, float* y) {
  __shared__ float seen[4];
  seen[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = 2 * seen[threadIdx.x];
}
"""


class Work:
    """A kernel of its own and one of CuPy's, a product, each way of copying, and two fills."""

    def __init__(self, cp):
        self.kernel, self.cp = cp.RawKernel(DOUBLED, "doubled"), cp
        self.x, self.y = cp.arange(1, 5, dtype="float32"), cp.full(4, 9, "float32")
        self.added, self.product = cp.ones(4, "float32"), cp.ones((4, 4), "float32")
        self.copied, self.sent = cp.full(4, 6, "float32"), cp.full(4, 5, "float32")
        self.zeroed, self.host = cp.full((2, 4), 8, "float32"), np.full(4, 7, "float32")

    def arrays(self):
        """All but x, which is only read."""
        device = self.y, self.added, self.product, self.copied, self.sent, *self.zeroed
        return [a.get() for a in device] + [self.host.copy()]

    def run(self):
        self.kernel((1,), (4,), (self.x, self.y))
        self.cp.add(self.x, self.x, out=self.added)
        self.cp.matmul(self.x[:, None], self.x[None], out=self.product)
        self.copied.data.copy_from_device_async(self.x.data, self.x.nbytes)
        self.sent.set(np.zeros(4, "float32"))
        self.zeroed[0].data.memset(0, self.x.nbytes)
        self.zeroed[1].data.memset_async(0, self.x.nbytes)
        self.x.get(out=self.host)


def sizes(counts):
    return {name: (c.kind, c.calls, c.size) for name, c in counts.items()}


@pytest.mark.parametrize("around", [contextlib.nullcontext, emulator.strict])
def test_it_counts_the_same_and_changes_nothing(around, cp):
    Work(cp).run()  # compiles
    with around():
        work = Work(cp)
        before = work.arrays()
        with emulator.counting() as idle, emulator.idle():
            work.run()
        kept = work.arrays()
        with emulator.counting() as busy:
            work.run()
        done = work.arrays()
    assert sizes(idle) == sizes(busy)
    assert {c.kind for c in idle.values()} == {"kernel", "product", "copy", "fill", "wait"}
    for was, is_, will_be in zip(before, kept, done, strict=True):
        assert np.array_equal(was, is_)
        assert not np.array_equal(was, will_be)


class Idle:
    """cuBLAS, whose routines are called on an idle device."""

    def __init__(self, blas):
        self._blas = blas

    def __getattr__(self, name):
        found = getattr(self._blas, name)
        return emulator.idle()(found) if "gem" in name or "dot" in name else found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROUTINES)
def test_no_routine_of_cublas_computes(name, dtype, cp):
    from cupy_backends.cuda.libs import cublas

    batch = 2 if "Batched" in name else 1
    numbers = {"alpha": -0.5, "beta": 0.25, "numbers_there": True, "dtype": dtype, "seed": 0}
    routine = Routine(name, (False, True), (3, 1, 5), (1, 0, 3), 2, batch, **numbers)
    found = []
    for blas in (cublas, Idle(cublas)):
        with emulator.counting() as counts:
            c, after = routine.run(cp, blas)
        found.append(({n: s for n, s in sizes(counts).items() if s[0] == "product"}, after))
    (busy, written), (idle, kept) = found
    assert idle == busy
    assert len(idle) == 1
    np.testing.assert_array_equal(kept, c.memory)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(written, c.memory)


def test_it_refuses_what_it_refuses_when_busy(cp):
    kernel = cp.RawKernel(DOUBLED, "doubled")
    x = cp.ones(4, "float32")
    runtime = cp.cuda.runtime
    host = np.ones(4, "float32")
    with emulator.idle():
        with pytest.raises(cp.cuda.driver.CUDADriverError, match="is launched with 1025 × 1 × 1"):
            kernel((1,), (1025,), (x, x))
        with pytest.raises(cp.cuda.driver.CUDADriverError, match="gets an address of the host"):
            kernel((1,), (4,), (np.uint64(host.ctypes.data), x))
        with pytest.raises(runtime.CUDARuntimeError, match="a copy reads"):
            runtime.memcpy(x.data.ptr, x.data.ptr, 1 << 30, 3)
        with pytest.raises(runtime.CUDARuntimeError, match="a fill writes to the host"):
            runtime.memset(host.ctypes.data, 0, 4)


def test_blocks_within_each_other_end_one_by_one(cp):
    x = cp.zeros(3, "float32")
    with emulator.idle():
        with emulator.idle():
            x += 1
        x += 1
    x += 1
    assert x.get().tolist() == [1, 1, 1]


def test_it_ends_where_the_block_fails(cp):
    x = cp.zeros(3, "float32")
    with pytest.raises(KeyError), emulator.idle():
        raise KeyError
    x += 1
    assert x.get().tolist() == [1, 1, 1]
