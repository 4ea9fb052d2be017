"""What the device promises: memory, copies, streams, events, counts, names of what it lacks."""

import ctypes
import gc
import threading

import numpy as np
import pytest

from armlab import emulator

pytestmark = pytest.mark.emulated
HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE = 1, 2, 3


# -- memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (3, 7), (1 << 25,)])  # the last is filled when touched
def test_new_memory_is_nan(shape, cp):
    with cp.cuda.using_allocator(None):
        assert np.isnan(cp.empty(shape, "float32")[..., -3:].get()).all()
        assert np.isnan(cp.empty(shape, "float64")[..., :3].get()).all()
        assert (cp.empty((9,), "int32").get() == -1).all()


def test_memory_that_is_used_again_is_new(cp):
    with cp.cuda.using_allocator(None):
        for _ in range(50):
            a = cp.empty(1000, "float32")
            assert np.isnan(a.get()).all()
            a.fill(1)
            del a


def test_memory_is_accounted_for(cp):
    with cp.cuda.using_allocator(None):
        gc.collect()
        free, total = cp.cuda.runtime.memGetInfo()
        a = cp.empty(10_000, "uint8")
        assert cp.cuda.runtime.memGetInfo() == (free - 3 * 4096, total)
        del a
        assert cp.cuda.runtime.memGetInfo() == (free, total)


def test_there_is_an_end_of_it(cp):
    """As on a card: CUDA's error below the pool, MemoryError's sibling of CuPy above it."""
    _, total = cp.cuda.runtime.memGetInfo()
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match=f"no room for {total + 1} bytes"):
        cp.cuda.runtime.malloc(total + 1)
    with pytest.raises(cp.cuda.memory.OutOfMemoryError):
        cp.empty(total + 1, "uint8")
    assert cp.arange(3).sum() == 3  # and goes on


def test_the_pool_is_cupys(cp):
    """With the pool one allocation serves many arrays, without it each has its own."""
    pool = cp.cuda.MemoryPool()
    with cp.cuda.using_allocator(pool.malloc):
        first = cp.empty(100, "float32")
        address = first.data.ptr
        del first
        assert cp.empty(100, "float32").data.ptr == address
    assert pool.total_bytes() == 512
    pool.free_all_blocks()
    assert pool.total_bytes() == 0
    with cp.cuda.using_allocator(None):
        first = cp.empty(100, "float32")
        address = first.data.ptr
        del first
        assert cp.empty(100, "float32").data.ptr != address


def test_free_wants_what_malloc_gave(cp):
    runtime = cp.cuda.runtime
    p = runtime.malloc(100)
    with pytest.raises(runtime.CUDARuntimeError, match="never allocated"):
        runtime.free(p + 4)
    runtime.free(p)
    with pytest.raises(runtime.CUDARuntimeError, match="which was freed before"):
        runtime.free(p)
    runtime.free(0)


@pytest.mark.parametrize("size", [1, 4, 12, 16, 100, 4096, 5001])
def test_an_array_begins_where_vectors_may(size, cp):
    p = cp.cuda.runtime.malloc(size)
    vector = next(2**k for k in (4, 3, 2, 1, 0) if 2**k <= size)
    assert p % vector == 0
    cp.cuda.runtime.free(p)


# -- copies -----------------------------------------------------------------------------------


@pytest.fixture
def copies(cp):
    """memcpy, an array of 100 bytes on the device and one on the host."""
    with cp.cuda.using_allocator(None):
        yield cp.cuda.runtime, cp.zeros(100, "uint8"), np.arange(100, dtype="uint8")


def test_copies_copy(copies):
    runtime, device, host = copies
    back = np.zeros(50, "uint8")
    runtime.memcpy(device.data.ptr, host.ctypes.data, 100, HOST_TO_DEVICE)
    runtime.memcpy(device.data.ptr + 50, device.data.ptr + 10, 30, DEVICE_TO_DEVICE)
    runtime.memcpy(back.ctypes.data, device.data.ptr + 45, 50, DEVICE_TO_HOST)
    assert (back == [*range(45, 50), *range(10, 40), *range(80, 95)]).all()
    runtime.memset(device.data.ptr + 1, 7, 2)
    assert device[:4].get().tolist() == [0, 7, 7, 3]


def freed(runtime):
    p = runtime.malloc(10)
    runtime.free(p)
    return p


BAD_COPIES = {  # runtime, the address on the device, that on the host
    "a copy writes 101 bytes from byte 0 of an allocation of 100": lambda r, d, h: r.memcpy(
        d, h, 101, HOST_TO_DEVICE
    ),
    "a copy writes 10 bytes from byte 95 of an allocation of 100": lambda r, d, h: r.memcpy(
        d + 95, h, 10, HOST_TO_DEVICE
    ),
    "a copy reads 1 bytes from byte -1 of an allocation of 100": lambda r, d, h: r.memcpy(
        h, d - 1, 1, DEVICE_TO_HOST
    ),
    "a copy device to host was asked for, and the pointers are for one host to device": (
        lambda r, d, h: r.memcpy(d, h, 10, DEVICE_TO_HOST)
    ),
    "a copy reads memory that was freed": lambda r, d, h: r.memcpy(h, freed(r), 10, DEVICE_TO_HOST),
    "a copy writes 1 bytes at 0x[0-9a-f]+, outside of every allocation": lambda r, d, h: r.memcpy(
        r.malloc(8) + (1 << 20), h, 1, HOST_TO_DEVICE
    ),
    "a fill writes 2 bytes from byte 99 of an allocation of 100": lambda r, d, h: r.memset(
        d + 99, 0, 2
    ),
    "a fill writes to the host": lambda r, d, h: r.memset(h, 0, 2),
}


@pytest.mark.parametrize("says", BAD_COPIES)
def test_copies_are_looked_at(says, copies):
    runtime, device, host = copies
    with pytest.raises(runtime.CUDARuntimeError, match=f"^cudaErrorInvalidValue: .*{says}$"):
        BAD_COPIES[says](runtime, device.data.ptr, host.ctypes.data)
    assert (device.get() == 0).all()
    assert (host == np.arange(100)).all()


def test_rows_are_copied_and_looked_at(copies):
    """Three rows of 4 bytes, 10 apart on one side and 7 on the other."""
    runtime, device, host = copies
    runtime.memcpy2D(device.data.ptr, 10, host.ctypes.data, 7, 4, 3, HOST_TO_DEVICE)
    expected = np.zeros(100, "uint8")
    for row in range(3):
        expected[10 * row : 10 * row + 4] = host[7 * row : 7 * row + 4]
    assert (device.get() == expected).all()
    with pytest.raises(runtime.CUDARuntimeError, match="writes 4 bytes from byte 99"):
        runtime.memcpy2D(device.data.ptr + 89, 10, host.ctypes.data, 7, 4, 2, HOST_TO_DEVICE)


# -- streams and events -----------------------------------------------------------------------


def test_streams_and_events(cp):
    """Work is done in the order of the calls, and an event knows when it was recorded."""
    stream, events = cp.cuda.Stream(non_blocking=True), [cp.cuda.Event() for _ in range(3)]
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="an event was not recorded"):
        cp.cuda.get_elapsed_time(events[0], events[1])
    seen = []
    with stream:
        events[0].record()
        x = cp.arange(10)
        stream.launch_host_func(seen.append, "first")
        x += 1
        events[1].record()
        stream.launch_host_func(seen.append, "second")
    cp.cuda.Stream.null.wait_event(events[1])
    x *= 2
    events[2].record()
    stream.synchronize()
    assert seen == ["first", "second"]
    assert x.get().tolist() == list(range(2, 22, 2))
    assert all(event.done for event in events)
    assert stream.done
    there, back = (cp.cuda.get_elapsed_time(*events[k : k + 2]) for k in (0, 1))
    assert min(there, back) >= 0
    assert cp.cuda.get_elapsed_time(events[0], events[2]) == pytest.approx(there + back, abs=1e-3)


def test_host_threads_take_turns(cp):
    """Four of them launch kernels with barriers, which share the stacks of the fibres."""
    code = r"""
extern "C" __global__ void turn(const int* x, int* y) {
  __shared__ int tile[64];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
"""
    kernel, wrong = cp.RawKernel(code, "turn"), []

    def work(seed):
        x = np.random.default_rng(seed).integers(0, 1000, 64).astype("int32")
        for _ in range(100):
            y = cp.empty(64, "int32")
            kernel((1,), (64,), (cp.asarray(x), y))
            if (y.get() != x[::-1]).any():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    with emulator.counting() as counts:
        [t.start() for t in threads]
        [t.join() for t in threads]
    assert not wrong
    assert counts["turn"].calls == 400


def test_the_sentence_is_that_of_the_thread_that_failed(cp):
    said = []

    def fail(size):
        for _ in range(50):
            try:
                cp.cuda.runtime.malloc(size)
            except cp.cuda.runtime.CUDARuntimeError as error:
                said.append((size, str(error)))

    _, total = cp.cuda.runtime.memGetInfo()
    threads = [threading.Thread(target=fail, args=(total + k,)) for k in (1, 2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(said) == 100
    assert all(f"no room for {size} bytes" in text for size, text in said)


# -- counts -----------------------------------------------------------------------------------

TWICE = 'extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }'


def test_counts_by_hand(cp):
    """Each name, kind, number of calls and size of a small program."""
    twice = cp.RawKernel(TWICE, "twice")
    host = np.ones((4, 6), "float32")
    a, b = cp.asarray(host), cp.asarray(host.T.copy())
    c, d = cp.empty((4, 4), "float32"), cp.empty((5, 4, 4), "float32")
    batch = cp.ones((5, 4, 6), "float32"), cp.ones((5, 6, 4), "float32")
    cp.matmul(a, b, out=c)  # compiled, and handles made, beforehand
    with emulator.counting() as counts:
        for _ in range(3):
            twice((2, 3), (5,), (a,))
        cp.matmul(a, b, out=c)
        cp.matmul(*batch, out=d)
        a.set(host)
        a.get()
        b.data.memset(0, 7)
        cp.cuda.runtime.memcpy(a.data.ptr, b.data.ptr, 20, DEVICE_TO_DEVICE)
        cp.cuda.Device().synchronize()
        assert counts == {}  # until the block ends
    seen = {name: (c.kind, c.calls, c.size) for name, c in counts.items()}
    products = [(calls, size) for kind, calls, size in seen.values() if kind == "product"]
    assert sorted(products) == [(1, 4 * 4 * 6), (1, 5 * 4 * 4 * 6)]
    assert seen["twice"] == ("kernel", 3, 3 * 2 * 3 * 5)
    assert [name for name, (kind, *_) in seen.items() if kind == "kernel"] == ["twice"]
    assert seen["host to device"] == ("copy", 1, 96)
    assert seen["device to host"] == ("copy", 1, 96)
    assert seen["device to device"] == ("copy", 1, 20)
    assert seen["memset"] == ("fill", 1, 7)
    waits = {name: c.calls for name, c in counts.items() if c.kind == "wait"}
    assert waits["cudaDeviceSynchronize"] == 1
    assert all(c.seconds >= 0 for c in counts.values())
    assert counts["twice"].seconds > 0


def test_counts_begin_anew(cp):
    twice, a = cp.RawKernel(TWICE, "twice"), cp.ones(5, "float32")
    with emulator.counting() as first:
        twice((1,), (5,), (a,))
    twice((1,), (5,), (a,))
    with emulator.counting() as second:
        twice((1,), (3,), (a,))
    assert first["twice"].size == 5
    assert second["twice"].size == 3


def test_counts_within_counts(cp):
    """Each block has all that ran in it, also where an exception ends it."""
    twice, a = cp.RawKernel(TWICE, "twice"), cp.ones(5, "float32")
    with emulator.counting() as outer:
        twice((1,), (5,), (a,))
        try:
            with emulator.counting() as inner:
                twice((1,), (3,), (a,))
                raise KeyError
        except KeyError:
            twice((1,), (2,), (a,))
    assert (inner["twice"].calls, inner["twice"].size) == (1, 3)
    assert (outer["twice"].calls, outer["twice"].size) == (3, 10)


def test_a_strict_launch_counts_once(cp):
    twice = cp.RawKernel(TWICE, "twice")
    with emulator.strict(), emulator.counting() as counts:
        twice((1,), (5,), (cp.ones(5, "float32"),))
    assert counts["twice"].calls == 1


def test_what_stops_is_counted_and_the_count_goes_on(cp):
    twice = cp.RawKernel(TWICE, "twice")
    with cp.cuda.using_allocator(None), emulator.counting() as counts:
        a = cp.ones(1024, "float32")
        with pytest.raises(cp.cuda.driver.CUDADriverError, match="ILLEGAL_ADDRESS"):
            twice((1,), (1024,), (a[1:],))
        assert a[1023] == 2  # written before it stopped
        twice((1,), (1024,), (a,))
        assert a[1023] == 4
    assert counts["twice"].calls == 2


# -- what is not there ------------------------------------------------------------------------


def wait_for_all_blocks(cp):
    kernel = cp.RawKernel('extern "C" __global__ void f() {}', "f", enable_cooperative_groups=True)
    kernel((1,), (1,), ())


def global_of_a_module(cp):
    code = '__device__ int number = 3; extern "C" __global__ void f() {}'
    cp.RawModule(code=code).get_global("number")


def texture(cp):
    channels = cp.cuda.texture.ChannelFormatDescriptor(32, 0, 0, 0, 2)
    cp.cuda.texture.CUDAarray(channels, 4)


def norm(cp):
    from cupy import cublas

    cublas.nrm2(cp.ones(3))


NOT_THERE = {
    "cudaIpcGetMemHandle": lambda cp: cp.cuda.runtime.ipcGetMemHandle(cp.ones(3).data.ptr),
    "cudaMallocManaged": lambda cp: cp.cuda.runtime.mallocManaged(100),
    "cudaStreamBeginCapture": lambda cp: cp.cuda.Stream(non_blocking=True).begin_capture(),
    "cublasGemmEx of types 4, 4 and 4": lambda cp: cp.dot(*2 * [cp.ones((2, 2), "complex64")]),
    "cublasDnrm2_v2": norm,
    "cuLaunchCooperativeKernel": wait_for_all_blocks,
    "cuModuleGetGlobal_v2": global_of_a_module,
    "cuLinkCreate_v2": lambda cp: cp.cuda.driver.linkCreate(),
    "cudaMalloc3DArray": texture,
    "cudaFuncGetAttributes": lambda cp: cp.sort(cp.arange(5)[::-1]),  # as Thrust begins
    "cudaLaunchKernel": lambda cp: cp.random.default_rng(0).random(3).get(),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_what_is_not_there_fails_by_its_name(name, cp, capfd):
    """Never by a wrong result; cuBLAS has codes alone, so its sentence goes to the terminal."""
    with pytest.raises(Exception) as caught:
        NOT_THERE[name](cp)
    assert f"there is no {name}" in str(caught.value) + capfd.readouterr().err
    assert cp.arange(3).sum() == 3


# -- the device as a whole -----------------------------------------------------------------------


def test_the_device_is_what_it_says(cp):
    properties = cp.cuda.runtime.getDeviceProperties(0)
    assert cp.cuda.runtime.getDeviceCount() == 1
    assert properties["name"] == b"emulated device"
    assert properties["warpSize"] == 32
    assert properties["maxThreadsPerBlock"] == 1024
    assert properties["sharedMemPerBlock"] == 48 << 10
    assert cp.cuda.Device(0).compute_capability == "90"
    assert cp.cuda.Device(0).attributes["MaxSharedMemoryPerBlockOptin"] == 227 << 10
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="there is no device 1: only 0"):
        cp.cuda.Device(1).use()


def test_pinned_memory_is_for_both(cp):
    """A kernel may read what the host has pinned, in strict mode as well."""
    pinned = cp.cuda.alloc_pinned_memory(20)
    host = np.frombuffer(pinned, "float32", 5)
    host[:] = 3
    with emulator.strict():
        cp.RawKernel(TWICE, "twice")((1,), (5,), (np.uint64(pinned.ptr),))
    assert (ctypes.c_float * 5).from_address(pinned.ptr)[:] == [6] * 5


def test_strict_mode_within_strict_mode(cp):
    racy = cp.RawKernel('extern "C" __global__ void f(float* y) { y[0] = threadIdx.x; }', "f")
    with emulator.strict(), cp.cuda.using_allocator(None):
        x = cp.arange(5, dtype="float32")
        with emulator.strict(seed=3):
            pass
        with pytest.raises(cp.cuda.driver.CUDADriverError, match="another result"):
            racy((1,), (5,), (x,))
    racy((1,), (5,), (x,))


def test_strict_mode_ends(cp):
    """Also where an exception ends it: memory is open to the host, and one order is enough."""
    racy = cp.RawKernel('extern "C" __global__ void f(float* y) { y[0] = threadIdx.x; }', "f")
    x = cp.arange(5, dtype="float32")
    with pytest.raises(cp.cuda.driver.CUDADriverError, match="another result"), emulator.strict():
        racy((1,), (5,), (x,))
    assert ctypes.c_float.from_address(x.data.ptr + 4).value == 1
    racy((1,), (5,), (x,))
    assert x[0] == 4
