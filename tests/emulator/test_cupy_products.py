"""Products on the emulated device: CuPy's in every shape, and cuBLAS's routines under them."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from cublas_calls import ROUTINES, routines
from cupy_examples import for_all_calls
from cupy_judges import judge
from hypothesis import Phase, given, settings

from armlab import emulator

pytestmark = pytest.mark.cupy
WAYS = ("gemmex", "gemmstridedbatchedex", "sgemmbatched", "dgemmbatched")
FLOATS = pytest.mark.parametrize("dtype", ["float32", "float64"])


def expect_as_numpy(routine, blas):
    """c is within its bound, and the memory around it as it was."""
    import cupy

    c, after = routine.run(cupy, blas)
    got, (want, bound) = c.matrices(after), routine.expected()
    right = np.abs(got - want) <= bound
    assert right.all(), f"{routine.name}: expected {want[~right][0]}, got {got[~right][0]}"
    for memory in (after, c.memory):
        c.matrices(memory)[...] = 0
    np.testing.assert_array_equal(after, c.memory, f"{routine.name} wrote beside its result")


@FLOATS
@pytest.mark.parametrize("name", ROUTINES)
def test_a_routine_of_cublas(name, dtype, cupy_place):
    from cupy_backends.cuda.libs import cublas

    @given(routines(name, dtype))
    def holds(routine):
        expect_as_numpy(routine, cublas)

    holds()


def changed(**change):
    """The routine with other arguments than it was asked with."""
    names = [
        "handle",
        "opa",
        "opb",
        "m",
        "n",
        "k",
        "alpha",
        "a",
        "lda",
        "b",
        "ldb",
        "beta",
        "c",
        "ldc",
    ]

    def gemm(real, *arguments):
        given = dict(zip(names, arguments, strict=True))
        real(*(given | {key: new(given) for key, new in change.items()}).values())

    return gemm


def zero(given):
    return ZERO.ctypes.data


ZERO = np.zeros(1)
WRONG = {
    "a not transposed": changed(opa=lambda g: 0, lda=lambda g: max(g["lda"], g["m"])),
    "one term too few": changed(k=lambda g: max(g["k"] - 1, 0)),
    "beta left out": changed(beta=zero),
    "beta for alpha": changed(alpha=lambda g: g["beta"]),
    "columns as if tight": changed(ldc=lambda g: max(g["m"], 1)),
    "one column too many": changed(
        n=lambda g: g["n"] + 1, opb=lambda g: 0, ldb=lambda g: max(g["ldb"], g["k"])
    ),
    "nothing written": lambda real, *arguments: None,
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_routine_is_caught(fault, cupy_place):
    from cupy_backends.cuda.libs import cublas

    blas = SimpleNamespace(**vars(cublas))
    blas.dgemm = lambda *arguments: WRONG[fault](cublas.dgemm, *arguments)

    @settings(phases=[Phase.generate])
    @given(routines("gemm", "float64"))
    def holds(routine):
        expect_as_numpy(replace(routine, numbers_there=False), blas)

    with pytest.raises(AssertionError, match="gemm"):
        holds()


def test_products_of_every_shape(cupy_place, cupy_device):
    """More calls than of other forms; on the emulated device, by all of cuBLAS's ways."""
    ways, judged, emulated = Counter(), 0, cupy_device == "emulated"

    def agrees(call):
        nonlocal judged
        judged += 1
        with emulator.counting() if emulated else nullcontext({}) as counts:
            judge(call, cupy_place)
        ways.update(name.lower() for name, count in counts.items() if count.kind == "product")

    for_all_calls("__matmul__(floats, floats)", agrees, share=4)
    print(f"{judged} products by {dict(ways)}")
    for word in WAYS if emulated else ():
        assert any(word in name for name in ways), f"expected a product by {word}, got {set(ways)}"


REFUSED = {  # (m, n, k), (lda, ldb, ldc) of a product of matrices as they lie
    "a column of a shorter than its rows": ((5, 4, 3), (4, 3, 5)),
    "a column of b": ((5, 4, 3), (5, 2, 5)),
    "a column of the result": ((5, 4, 3), (5, 3, 4)),
    "a negative size": ((5, 4, -3), (5, 3, 5)),
    "no distance at all": ((1, 1, 1), (1, 0, 1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sizes_that_do_not_fit_are_refused(name, cupy_place):
    import cupy
    from cupy.cuda import cublas, device

    (m, n, k), (lda, ldb, ldc) = REFUSED[name]
    one, x = np.ones(1, "f4"), cupy.zeros(64, "f4")
    number, at = one.ctypes.data, x.data.ptr
    with pytest.raises(cublas.CUBLASError, match="CUBLAS_STATUS_INVALID_VALUE"):
        cublas.sgemm(
            device.get_cublas_handle(), 0, 0, m, n, k, number, at, lda, at, ldb, number, at, ldc
        )
