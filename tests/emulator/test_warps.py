"""What threads of a warp and of a block tell each other, against a model in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlab import emulator

pytestmark = pytest.mark.emulated

SHUFFLES = {"__shfl_sync": "int", "__shfl_up_sync": "unsigned", "__shfl_down_sync": "unsigned"}
SHUFFLES |= {"__shfl_xor_sync": "int"}
SHUFFLE = r"""
template <class T>
__device__ void shuffle(const T* x, T* y, int by, int width) {
  int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  T mine = FUNCTION(0xffffffffu, x[t], (PARAMETER)by, width);
  y[t] = FUNCTION(0xffffffffu, mine, 0, 1);  // in groups of one each has its own
}
extern "C" __global__ void floats(const float* x, float* y, int by, int width) {
  shuffle(x, y, by, width);
}
extern "C" __global__ void doubles(const double* x, double* y, int by, int width) {
  shuffle(x, y, by, width);
}
extern "C" __global__ void longs(const long long* x, long long* y, int by, int width) {
  shuffle(x, y, by, width);
}
"""


def source_of(function, threads, by, width):
    """From which thread each gets its value, as CUDA's guide says; one may not be there."""
    t = np.arange(threads)
    lane, warp = t % 32, t - t % 32
    first = lane - lane % width
    match function:
        case "__shfl_sync":
            return warp + first + by % width
        case "__shfl_up_sync":
            return warp + np.where(lane - by >= first, lane - by, lane)
        case "__shfl_down_sync":
            return warp + np.where(lane + by < first + width, lane + by, lane)
        case _:
            return warp + np.where((lane ^ by) < first + width, lane ^ by, lane)


blocks = st.one_of(
    st.integers(1, 130).map(lambda n: (n, 1, 1)),
    st.sampled_from([(7, 5, 1), (3, 4, 5), (2, 1, 33), (16, 4, 2)]),
)


@pytest.mark.parametrize(
    ("kernel", "dtype"), [("floats", "f4"), ("doubles", "f8"), ("longs", "i8")]
)
@pytest.mark.parametrize("function", SHUFFLES)
def test_shuffles(function, kernel, dtype, cp):
    code = SHUFFLE.replace("FUNCTION", function).replace("PARAMETER", SHUFFLES[function])
    shuffle = cp.RawModule(code=code).get_function(kernel)

    @given(blocks, st.integers(0, 40), st.sampled_from([1, 2, 4, 8, 16, 32]), st.integers(0, 2**32))
    def as_the_model(block, by, width, seed):
        if function == "__shfl_xor_sync":
            by %= 32
        threads = int(np.prod(block))
        x = np.random.default_rng(seed).integers(-1000, 1000, threads).astype(dtype)
        y = cp.empty(threads, dtype)
        shuffle((1,), block, (cp.asarray(x), y, np.int32(by), np.int32(width)))
        source = source_of(function, threads, by, width)
        there = source < threads  # of a lane that is not there CUDA promises nothing
        assert (y.get()[there] == x[source[there]]).all()
        judged.append(there.sum())

    judged = []
    as_the_model()
    assert sum(judged) > 1000


VOTES = r"""
extern "C" __global__ void votes(const int* x, unsigned* y) {
  int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  unsigned* mine = y + 6 * t;
  mine[0] = __ballot_sync(0xffffffff, x[t]);
  mine[1] = __any_sync(0xffffffff, x[t]);
  mine[2] = __all_sync(0xffffffff, x[t]);
  mine[3] = __syncthreads_count(x[t]);
  mine[4] = __syncthreads_or(x[t]) != 0;
  mine[5] = __syncthreads_and(x[t]) != 0;
}
"""


def test_votes(cp):
    votes = cp.RawKernel(VOTES, "votes")

    @given(blocks, st.sampled_from([0, 0.02, 0.5, 0.98, 1]), st.integers(0, 2**32))
    def as_the_model(block, share, seed):
        threads = int(np.prod(block))
        yes = np.random.default_rng(seed).random(threads) < share
        y = cp.empty((threads, 6), "uint32")
        votes((1,), block, (cp.asarray(np.where(yes, -5, 0).astype("int32")), y))
        want = np.empty((threads, 6), "uint32")
        for begin in range(0, threads, 32):
            warp = yes[begin : begin + 32]
            ballot = sum(1 << i for i, vote in enumerate(warp) if vote)
            want[begin : begin + 32, :3] = ballot, warp.any(), warp.all()
        want[:, 3:] = yes.sum(), yes.any(), yes.all()
        assert (y.get() == want).all()

    as_the_model()


SOME = r"""
extern "C" __global__ void some(const int* x, int* y, unsigned mask) {
  __shared__ int sum;
  int t = threadIdx.x;
  if (t == 0) sum = 0;
  __syncthreads();
  int mine = -1;
  if (mask >> t % 32 & 1) {
    mine = __popc(__ballot_sync(mask, x[t]));
    mine += 100 * __shfl_sync(mask, x[t], __ffs(mask) - 1);
    __syncwarp(mask);
  }
  __syncthreads();
  atomicAdd(&sum, mine);
  __syncthreads();
  y[t] = mine;
  if (t == 0) y[blockDim.x] = sum;
}
"""


def test_some_threads_of_a_warp(cp):
    """Those of a mask wait for each other alone, while the others wait for them at the block's."""
    some = cp.RawKernel(SOME, "some")

    @given(st.sampled_from([32, 64, 96]), st.integers(1, 2**32 - 1), st.integers(0, 2**32))
    def as_the_model(threads, mask, seed):
        x = np.random.default_rng(seed).integers(0, 2, threads).astype("int32")
        y = cp.empty(threads + 1, "int32")
        with emulator.strict(seed):
            some((1,), (threads,), (cp.asarray(x), y, np.uint32(mask)))
        member = np.array([mask >> i & 1 for i in range(32)], bool)
        warps = x.reshape(-1, 32)
        value = (warps * member).sum(1) + 100 * warps[:, member.argmax()]
        want = np.where(member, value[:, None], -1).reshape(-1)
        assert y.get().tolist() == [*want, want.sum()]

    as_the_model()


HALVES = r"""
extern "C" __global__ void halves(const int* x, int* y) {
  int t = threadIdx.x, sum = x[t];
  if (t < 16)
    for (int by = 8; by; by /= 2) sum += __shfl_xor_sync(0xffff, sum, by);
  else
    for (int by = 1; by < 16; by *= 2) {
      sum = max(sum, __shfl_xor_sync(0xffff0000, sum, by));
      __syncwarp(0xffff0000);
    }
  y[t] = sum;
}
"""


def test_two_halves_of_a_warp_go_their_own_ways(cp):
    x = np.arange(32, dtype="int32") ** 2
    y = cp.empty(32, "int32")
    with emulator.strict():
        cp.RawKernel(HALVES, "halves")((1,), (32,), (cp.asarray(x), y))
    assert y.get().tolist() == [x[:16].sum()] * 16 + [x[16:].max()] * 16


def test_threads_that_end_are_not_waited_for(cp):
    """Those of a warp that go on shuffle among themselves."""
    code = r"""
extern "C" __global__ void rest(int* y, int n) {
  int t = threadIdx.x;
  if (t >= n) return;
  y[t] = __shfl_down_sync((1u << n) - 1, t, 1);
}
"""
    y = cp.full(32, -7, "int32")
    with emulator.strict():
        cp.RawKernel(code, "rest")((1,), (32,), (y, np.int32(20)))
    assert y.get().tolist()[:19] == list(range(1, 20))
    assert y.get().tolist()[20:] == [-7] * 12
