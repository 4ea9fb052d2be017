"""What a kernel reads and writes, number by number, where its numbers count."""

import pytest

from armlab import emulator
from armlab.emulator import Touched

pytestmark = pytest.mark.emulated
N = 300
BODIES = {  # what a thread does: how often the N numbers of x are read, and those of y written
    "once": ("y[i] = x[i];", Touched(N, N, N, N)),
    "from a register": ("y[i] = x[i] * x[i] + x[i];", Touched(N, N, N, N)),
    "again behind a write": ("y[i] = x[i]; y[i] += x[i];", Touched(3 * N, 2 * N, 2 * N, N)),
    "one for all": ("y[i] = x[0];", Touched(N, 1, N, N)),
    "the neighbour too": ("y[i] = x[i] + x[(i + 1) % n];", Touched(2 * N, N, N, N)),
    "of a structure": ("reinterpret_cast<Two*>(y)[i / 2] = {x[i], 1};", Touched(N, N, 2 * N, N)),
    "a branch": ("y[i] = i < 10 ? x[i] : real(0);", Touched(10, 10, N, N)),
    "shared memory": ("shared[0] = x[i]; y[i] = shared[0];", Touched(N, N, N, N)),
}
PAGE = """
struct Two { real a, b; };
extern "C" __global__ void page(const real* x, real* y, int n) {
  __shared__ real shared[1];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) { BODY }
}
"""


@pytest.mark.parametrize("dtype", ["float", "double"])
@pytest.mark.parametrize("name", BODIES)
def test_each_number_read_and_written_counts(name, dtype, cp):
    body, want = BODIES[name]
    options = "-std=c++17", f"-Dreal=emulated::Counted<{dtype}>"
    kernel = cp.RawModule(code=PAGE.replace("BODY", body), options=options).get_function("page")
    x, y = cp.ones(N, dtype), cp.zeros(N, dtype)
    emulator.touched()
    kernel((2,), (256,), (x, y, cp.int32(N)))
    assert emulator.touched() == want
    assert emulator.touched() == Touched(0, 0, 0, 0)


def test_plain_numbers_do_not_count(cp):
    kernel = cp.RawModule(
        code=PAGE.replace("BODY", "y[i] = x[i];"), options=("-std=c++17", "-Dreal=float")
    ).get_function("page")
    emulator.touched()
    kernel((2,), (256,), (cp.ones(N, "f4"), cp.zeros(N, "f4"), cp.int32(N)))
    assert emulator.touched() == Touched(0, 0, 0, 0)
