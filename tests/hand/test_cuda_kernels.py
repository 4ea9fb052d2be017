"""Every CUDA kernel in strict mode, and every wrong version of one caught.

Strict mode (see armlab/emulator/README.md) ends an access outside of an array with an error, begins
memory with NaN, and runs each launch in three orders of threads, which must leave the same bits.
"""

import importlib
import pkgutil

import cuda_faults
import numpy as np
import pytest
from array_api_compat import is_cupy_namespace
from cuda_faults import planted

from armlab.bench import cuda_resources
from armlab.check.agreement import expect_agreement
from armlab.check.cases import CASES
from armlab.check.functions import ROUNDOFF
from armlab.check.sides import run_hand_arrays
from armlab.check.strata import GENERATE, for_all
from armlab.hand import kernels
from armlab.places import place

CASES_OF = {
    "resize": ("resize_bilinear", "resize_nearest"),
    "batch_norm_and_keep": ("BatchNorm2d", "ConvBNAct"),
    "batch_norm_as_kept": ("ConvBNAct",),
    "channel_sum": (),  # see test_cuda_channel_sum.py
    "conv2d_with_bias": ("SqueezeExcitation", "BiSeNetOutput"),
    "add_relu": ("BasicBlock",),
    "stack_statistics": ("CBAMSpatial", "UAFMChannel"),
}
ROWS = dict.fromkeys(
    row.function for row in kernels.TABLE if row.library.__name__ == is_cupy_namespace.__name__
)
NAMES = list(dict.fromkeys(name for row in ROWS for name in CASES_OF.get(row, (row,))))
FAULTS = [
    fault
    for module in pkgutil.iter_modules(cuda_faults.__path__)
    for fault in importlib.import_module(f"cuda_faults.{module.name}").FAULTS
]
OF_CASES = [fault for fault in FAULTS if fault[3] in CASES]  # others: tests/training/
FEW = 8  # examples of each class of values


def judged_in_strict_mode(name, dtype, count=FEW):
    from armlab import emulator

    where = place("emulated")

    def agrees(e):
        nonlocal judged
        judged += 1
        with emulator.strict():
            expect_agreement(name, e, dtype, where)

    judged = 0
    for_all(CASES[name].strata(count), agrees, using=GENERATE, seed=0)
    return judged


@pytest.mark.emulated
@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", NAMES)
def test_kernels_keep_their_bounds_in_strict_mode(name, dtype):
    assert judged_in_strict_mode(name, dtype) >= FEW


def caught(name):
    """How a wrong version of a kernel shows; empty where it does not."""
    from cupy_backends.cuda.api.driver import CUDADriverError

    try:
        for dtype in ROUNDOFF:
            judged_in_strict_mode(name, dtype, 30)
    except (AssertionError, CUDADriverError) as error:
        return str(error)
    return ""


@pytest.mark.emulated
@pytest.mark.parametrize("fault", OF_CASES, ids=lambda fault: f"{fault[0]}-{fault[4]}")
def test_a_wrong_kernel_is_caught(fault):
    page, right, wrong, name, _ = fault
    with planted(page, right, wrong):
        assert caught(name)


def test_every_page_has_a_fault():
    assert {fault[0] for fault in FAULTS} == set(cuda_resources.pages())


@pytest.mark.emulated
@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_each_time(name):
    where = place("emulated")

    def repeats(e):
        first, again = (run_hand_arrays(name, e, "float32", where).on_host() for _ in range(2))
        for key, a in first.items():
            np.testing.assert_array_equal(a, again[key], err_msg=key)

    for_all(CASES[name].strata(4), repeats, using=GENERATE, seed=0)
