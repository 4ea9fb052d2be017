"""CUDA C++ as kernels are written in it, and CuPy's ways to write them, against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from armlab import emulator
from armlab.emulator import build

pytestmark = pytest.mark.emulated


# -- where a thread is ------------------------------------------------------------------------

WHERE = r"""
extern "C" __global__ void where(int* y) {
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  int* mine = y + 12 * (block * blockDim.x * blockDim.y * blockDim.z + t);
  BARRIER
  mine[0] = threadIdx.x, mine[1] = threadIdx.y, mine[2] = threadIdx.z;
  mine[3] = blockIdx.x, mine[4] = blockIdx.y, mine[5] = blockIdx.z;
  mine[6] = blockDim.x, mine[7] = blockDim.y, mine[8] = blockDim.z;
  mine[9] = gridDim.x, mine[10] = gridDim.y, mine[11] = gridDim.z;
}
"""


@pytest.mark.parametrize("barrier", ["", "__syncthreads();", "__syncwarp();"])
@pytest.mark.parametrize("strict", [False, True])
def test_where_a_thread_is(barrier, strict, cp):
    """x runs fastest, in the threads of a block and in the blocks of a grid."""
    where = cp.RawKernel(WHERE.replace("BARRIER", barrier), "where")
    size = st.tuples(*[st.integers(1, 4)] * 3)

    def run(grid, block):
        y = cp.empty((*grid[::-1], *block[::-1], 12), "int32")
        where(grid, block, (y,))
        return y.get()

    @given(size, size)
    def each_is_where_it_says(grid, block):
        if strict:
            with emulator.strict():
                y = run(grid, block)
        else:
            y = run(grid, block)
        at = np.indices(y.shape[:-1])
        for k, axis in enumerate((5, 4, 3, 2, 1, 0)):
            assert (y[..., k] == at[axis]).all()
        assert (y[..., 6:] == (*block, *grid)).all()

    each_is_where_it_says()


def test_chosen_blocks_run_in_the_order_given(cp):
    code = 'extern "C" __global__ void note(int* y) { y[atomicAdd(y, 1) + 1] = blockIdx.x; }'
    y = cp.zeros(5, "int32")
    with emulator.only_blocks([7, 2, 5]):
        cp.RawKernel(code, "note")((9,), (1,), (y,))
    assert y.get().tolist() == [3, 7, 2, 5, 0]


# -- ways to write kernels --------------------------------------------------------------------

TEMPLATES = r"""
namespace far { template <class T, int N>
__global__ void power(const T* x, T* y) {
  T product = 1;
  for (int k = 0; k < N; k++) product *= x[threadIdx.x];
  y[threadIdx.x] = product;
} }
template <class T> __global__ void fill(T* y, T value) { y[threadIdx.x] = value; }
extern "C" {
__global__ void plain(int* y) { y[threadIdx.x] = OFFSET; }
__global__ void __launch_bounds__(64) bounded(int* y) { y[threadIdx.x] = OFFSET + 1; }
}
"""


def test_a_module_of_several_kernels(cp):
    """Instances of templates by their C++ names, and kernels with a linkage of C; definitions."""
    names = ["far::power<double, 3>", "far::power<int, 2>", "fill<float>"]
    options = ("-std=c++17", "-DOFFSET=40")
    module = cp.RawModule(code=TEMPLATES, options=options, name_expressions=names)
    x = np.arange(5)
    for name, dtype, power in ((names[0], "float64", 3), (names[1], "int32", 2)):
        y = cp.empty(5, dtype)
        module.get_function(name)((1,), (5,), (cp.asarray(x.astype(dtype)), y))
        assert y.get().tolist() == (x**power).tolist()
    y = cp.empty(3, "float32")
    module.get_function("fill<float>")((1,), (3,), (y, np.float32(0.5)))
    assert y.get().tolist() == [0.5] * 3
    y = cp.empty(2, "int32")
    for name, value in (("plain", 40), ("bounded", 41)):
        module.get_function(name)((1,), (2,), (y,))
        assert y.get().tolist() == [value] * 2
    with pytest.raises(cp.cuda.driver.CUDADriverError, match="there is no kernel nobody"):
        module.get_function("nobody")


def test_cupys_kernels(cp):
    """Elementwise, with an index and broadcasting; a reduction; functions fused into one."""
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-8, 9, shape).astype("float32") for shape in ((7, 5), (5,)))
    squares = cp.ElementwiseKernel("T x, T y", "T z", "z = (x - y) * (x - y) + i", "squares")
    assert (
        squares(cp.asarray(x), cp.asarray(y)).get() == (x - y) ** 2 + np.r_[:35].reshape(7, 5)
    ).all()
    norm = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = a", "0", "norm")
    for axis in (None, 0, 1):
        assert (norm(cp.asarray(x), axis=axis).get() == (x * x).sum(axis)).all()

    @cp.fuse()
    def fused(x, y):
        return cp.maximum(x * 2 + y, 0)

    with emulator.counting() as counts:
        z = fused(cp.asarray(x), cp.asarray(y))
    assert (z.get() == np.maximum(x * 2 + y, 0)).all()
    assert sum(count.calls for count in counts.values() if count.kind == "kernel") == 1


def test_what_the_compiler_says_is_handed_on(cp):
    code = 'extern "C" __global__ void f(float* y) {\n  y[0] = unheard_of;\n}'
    with pytest.raises(cp.cuda.compiler.CompileException, match=r"2:10: error: .unheard_of. was"):
        cp.RawKernel(code, "f").compile()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("assert(t < 3);", r"asserts in vain that t < 3 in line 3: thread \(3, 0, 0\)"),
        ("if (t == 2) __trap();", r"comes to __trap\(\) in line 3: thread \(2, 0, 0\)"),
        ("float a[3]; a[t] = t; y[t] = a[0];", r"takes element 3 of 'float \[3\]' in line 3"),
    ],
)
@pytest.mark.parametrize("barrier", ["", "__syncthreads();"])
def test_a_kernel_stops_itself(statement, says, barrier, cp):
    """And the process goes on."""
    code = f"""extern "C" __global__ void f(float* y) {{
  int t = threadIdx.x; {barrier}
  {statement}
}}"""
    kernel, y = cp.RawKernel(code, "f"), cp.zeros(8, "float32")
    with pytest.raises(cp.cuda.driver.CUDADriverError, match=f"kernel f {says}"):
        kernel((1,), (8,), (y,))
    kernel((1,), (2,), (y,))


def test_structs_and_arrays_of_pointers_are_arguments(cp):
    code = r"""
struct Line { float slope; double at; int n; };
extern "C" __global__ void lines(Line line, const float* const* rows, float* y) {
  for (int k = 0; k < line.n; k++) y[threadIdx.x] += line.slope * rows[k][threadIdx.x] + line.at;
}
"""
    line = np.zeros((), np.dtype([("slope", "f4"), ("at", "f8"), ("n", "i4")], align=True))
    line["slope"], line["at"], line["n"] = 2, 3, 2
    rows = [cp.arange(4, dtype="float32"), cp.ones(4, "float32")]
    y = cp.zeros(4, "float32")
    pointers = cp.asarray(np.array([row.data.ptr for row in rows], "uint64"))
    with emulator.strict():
        cp.RawKernel(code, "lines")((1,), (4,), (line, pointers, y))
    assert y.get().tolist() == [8, 10, 12, 14]


SHARED = r"""
extern "C" __global__ void shared(const float* x, double* y) {
  extern __shared__ __align__(16) unsigned char bytes[];
  float4* dynamic = reinterpret_cast<float4*>(bytes);
  __shared__ double fixed[8];
  int t = threadIdx.x;
  dynamic[t] = make_float4(x[t], 2 * x[t], 3 * x[t], 4 * x[t]);
  fixed[t] = x[t];
  __syncthreads();
  float4 other = dynamic[7 - t];
  y[t] = other.x + other.y + other.z + other.w + fixed[(t + 1) % 8];
}
"""


@pytest.mark.parametrize("spare", [0, 4, 12])
def test_shared_memory_of_any_type(spare, cp):
    """Dynamic shared memory begins where a vector may, whatever its size."""
    x = np.random.default_rng(4).integers(-8, 9, 8)
    y = cp.empty(8)
    with emulator.strict():
        kernel = cp.RawKernel(SHARED, "shared")
        kernel((1,), (8,), (cp.asarray(x.astype("float32")), y), shared_mem=8 * 16 + spare)
    assert y.get().tolist() == (10 * x[::-1] + np.roll(x, -1)).tolist()
    assert kernel.shared_size_bytes == 64


def test_more_shared_memory_is_there_for_those_who_ask(cp):
    code = r"""
extern "C" __global__ void large(float* y, int n) {
  extern __shared__ float tile[];
  for (int i = threadIdx.x; i < n; i += blockDim.x) tile[i] = i;
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = tile[n - 1 - i];
}
"""
    kernel, n = cp.RawKernel(code, "large"), 227 * 256
    y = cp.empty(n, "float32")
    kernel.max_dynamic_shared_size_bytes = 4 * n
    with emulator.strict():
        kernel((1,), (256,), (y, np.int32(n)), shared_mem=4 * n)
    assert (y.get() == np.arange(n)[::-1]).all()
    assert kernel.max_dynamic_shared_size_bytes == 4 * n


# -- arithmetic -------------------------------------------------------------------------------


DTYPES = {"float": "float32", "double": "float64", "int": "int32"}


def elementwise(cp, type_, result, expression, *arrays):
    """An expression of x, y and z, of one type, for each element of NumPy arrays."""
    names = "xyz"[: len(arrays)]
    parameters = "".join(f"const {type_}* {name}_, " for name in names)
    values = "".join(f"{type_} {name} = {name}_[i]; " for name in names)
    code = f"""extern "C" __global__ void f({parameters}{result}* out) {{
  int i = blockIdx.x * blockDim.x + threadIdx.x; {values}out[i] = {expression};
}}"""
    out = cp.empty(arrays[0].shape, DTYPES[result])
    cp.RawKernel(code, "f")((1,), arrays[0].shape, (*map(cp.asarray, arrays), out))
    return out.get()


def test_float32_flushes_and_float64_does_not(cp):
    """CuPy's -ftz=true: float32 numbers below 2⁻¹²⁶ are 0, of their sign; float64 has them all."""
    tiny = np.array([2.0**-127, -(2.0**-140), 2.0**-126, 1e-45], "float32")
    sums = elementwise(cp, "float", "float", "x + y", tiny, np.zeros_like(tiny))
    assert sums.tolist() == [0, 0, 2.0**-126, 0]
    halves = elementwise(cp, "float", "float", "x * 0.5f", np.float32([2.0**-126, 2.0**-125]))
    assert halves.tolist() == [0, 2.0**-126]
    assert math.copysign(1, elementwise(cp, "float", "float", "x * 1", tiny)[1]) == -1
    tiny = np.array([2.0**-1030, 5e-324])
    assert elementwise(cp, "double", "double", "x * 1", tiny).tolist() == tiny.tolist()
    x = cp.asarray(np.float32([2.0**-126, 2.0**-120])) * cp.float32(0.5)  # CuPy's own kernel
    assert x.get().tolist() == [0, 2.0**-121]


def test_the_host_keeps_its_subnormal_numbers(cp):
    """Also after a kernel that flushes, and after one that stops."""
    elementwise(cp, "float", "float", "x + x", np.ones(3, "float32"))
    stops = cp.RawKernel('extern "C" __global__ void f(float* x) { x[1024] = 0; }', "f")
    with cp.cuda.using_allocator(None):
        x = cp.ones(1024, "float32")
    with pytest.raises(cp.cuda.driver.CUDADriverError, match="just behind"):
        stops((1,), (1,), (x,))
    assert np.float32(2.0**-126) * np.float32(0.5) == 2.0**-127


@pytest.mark.skipif(not build.processor_flags()[1:], reason="this CPU cannot fuse")
@pytest.mark.parametrize(("type_", "half_ulp"), [("float", 2.0**-12), ("double", 2.0**-27)])
def test_a_product_and_a_sum_are_fused(type_, half_ulp, cp):
    """(1 + e)² − 1 − 2e is e², which a rounded product has lost; the _rn functions round."""
    x = np.array([1 + half_ulp] * 3, "f4" if type_ == "float" else "f8")
    rest = -(x * x)  # rounded, on the host
    assert (elementwise(cp, type_, type_, "x * x + y", x, rest) == half_ulp**2).all()
    mul, add = ("__fmul_rn", "__fadd_rn") if type_ == "float" else ("__dmul_rn", "__dadd_rn")
    assert (elementwise(cp, type_, type_, f"{add}({mul}(x, x), y)", x, rest) == 0).all()
    assert (elementwise(cp, type_, type_, "fma(x, x, y)", x, rest) == half_ulp**2).all()


words = st.one_of(st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 1, -1, 255, -(2**31)]))


def bits(x, size):
    return f"{x % 2**size:0{size}b}"


INTEGERS = {
    "__popc(x)": lambda x, y: bits(x, 32).count("1"),
    "__popcll(x)": lambda x, y: bits(x, 64).count("1"),
    "__clz(x)": lambda x, y: (bits(x, 32) + "1").index("1"),
    "__clzll(x)": lambda x, y: (bits(x, 64) + "1").index("1"),
    "__ffs(x)": lambda x, y: (
        ("1" + bits(x, 32)).rindex("1") and 33 - ("1" + bits(x, 32)).rindex("1")
    ),
    "__mulhi(x, y)": lambda x, y: x * y >> 32,
    "(int)__umulhi(x, y)": lambda x, y: signed(((x % 2**32) * (y % 2**32)) >> 32),
    "min(x, y) - (max(x, y) == x)": lambda x, y: signed(min(x, y) - (max(x, y) == x)),
    "__float_as_int(__int_as_float(x))": lambda x, y: x,
}


def signed(x):
    return (x + 2**31) % 2**32 - 2**31


@pytest.mark.parametrize("expression", INTEGERS)
def test_integers(expression, cp):
    @given(st.lists(st.tuples(words, words), min_size=16, max_size=16))
    @example([(0, 0)] * 16)
    def as_in_python(pairs):
        x, y = np.array(pairs, "int32").T
        got = elementwise(cp, "int", "int", expression, x, y)
        assert got.tolist() == [INTEGERS[expression](*pair) for pair in pairs]

    as_in_python()


def test_indices_of_64_bits(cp):
    """Products of indices beyond 2³², which the kernel keeps in 64 bits."""
    code = r"""
extern "C" __global__ void f(long long* y, unsigned long long n) {
  size_t i = (size_t)blockIdx.x * blockDim.x * 1000003 + threadIdx.x;
  y[blockIdx.x] = i % n + __umul64hi(n, n);
}
"""
    y = cp.empty(5000, "int64")
    n = 2**40 + 3
    cp.RawKernel(code, "f")((5000,), (1,), (y, np.uint64(n)))
    assert y.get().tolist() == [b * 1000003 % n + (n * n >> 64) for b in range(5000)]


def test_vectors(cp):
    code = r"""
extern "C" __global__ void f(const float2* x, const float4* y, double2* z, int4* w, int3* v) {
  int t = threadIdx.x;
  float4 four = y[t];
  z[t] = make_double2(x[t].x + four.z, x[t].y * four.w);
  w[t] = make_int4(sizeof(float2), sizeof(float3), sizeof(float4), alignof(float4));
  v[t] = make_int3(1, 2, t);
}
"""
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-8, 9, (5, k)).astype("float32") for k in (2, 4))
    z, w, v = cp.empty((5, 2)), cp.empty((5, 4), "int32"), cp.empty((5, 3), "int32")
    with emulator.strict():
        cp.RawKernel(code, "f")((1,), (5,), (cp.asarray(x), cp.asarray(y), z, w, v))
    assert (z.get() == np.stack([x[:, 0] + y[:, 2], x[:, 1] * y[:, 3]], 1)).all()
    assert (w.get() == [8, 12, 16, 16]).all()
    assert v.get().tolist() == [[1, 2, t] for t in range(5)]


def test_half_precision(cp):
    """CuPy's float16 rounds each result once, from float32, as NumPy's does."""

    @given(st.lists(st.floats(-100, 100, width=16), min_size=8, max_size=8))
    def as_numpy(values):
        x = np.array(values, "float16")
        y = x[::-1].copy()
        a, b = cp.asarray(x), cp.asarray(y)
        for got, want in ((a + b, x + y), (a * b, x * y), (abs(a), abs(x)), (a > b, x > y)):
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got.get(), want)

    as_numpy()


ATOMICS = {
    "int": ("Add Sub Min Max And Or Xor Exch", "int32"),
    "unsigned": ("Add Sub Min Max And Or Xor Exch", "uint32"),
    "unsigned long long": ("Add Min Max And Or Xor Exch", "uint64"),
    "float": ("Add Exch", "float32"),
    "double": ("Add", "float64"),
}
MODELS = {
    "Add": np.add,
    "Sub": np.subtract,
    "Min": np.minimum,
    "Max": np.maximum,
    "And": np.bitwise_and,
    "Or": np.bitwise_or,
    "Xor": np.bitwise_xor,
}


@pytest.mark.parametrize(
    ("type_", "name"), [(t, name) for t, (names, _) in ATOMICS.items() for name in names.split()]
)
def test_atomics(type_, name, cp):
    """All threads on one number, in any order; what each saw before is what another left."""
    code = f"""extern "C" __global__ void f(const {type_}* x, {type_}* y, {type_}* old) {{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  old[i] = atomic{name}(y, x[i]);
}}"""
    dtype = ATOMICS[type_][1]
    x = np.random.default_rng(2).integers(0, 1000, 96).astype(dtype)
    y, old = cp.full(1, 500, dtype), cp.empty(96, dtype)
    cp.RawKernel(code, "f")((3,), (32,), (cp.asarray(x), y, old))
    left = [*old.get().tolist(), y.get()[0].item()]
    assert left.count(500) >= 1
    if name == "Exch":
        assert sorted(left) == sorted([500, *x.tolist()])
    else:
        with np.errstate(over="ignore"):
            steps = MODELS[name].accumulate(np.r_[np.array([500], dtype), x])
        assert sorted(left) == sorted(steps.tolist())


def test_compare_and_swap(cp):
    """A lock-free maximum of floats, and counters that wrap."""
    code = r"""
extern "C" __global__ void f(const float* x, int* largest, unsigned* up, unsigned* down) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, seen = *largest, expected;
  do {
    expected = seen;
    if (__int_as_float(expected) >= x[i]) break;
    seen = atomicCAS(largest, expected, __float_as_int(x[i]));
  } while (seen != expected);
  atomicInc(up, 6);
  atomicDec(down, 6);
}
"""
    x = np.random.default_rng(3).standard_normal(96).astype("float32")
    largest = cp.asarray(np.float32([-9]).view("int32"))
    up, down = cp.zeros(1, "uint32"), cp.zeros(1, "uint32")
    with emulator.strict():
        cp.RawKernel(code, "f")((3,), (32,), (cp.asarray(x), largest, up, down))
    assert largest.get().view("float32")[0] == x.max()
    assert up.get()[0] == 96 % 7
    assert down.get()[0] == -96 % 7
