"""On a GPU: large arrays of every module, exchange with torch without copies, streams."""

from dataclasses import replace

import numpy as np
import pytest

from armlab import hand
from armlab.arrays import place, to_host
from armlab.check.agreement import expect_agreement
from armlab.check.cases import CASES
from armlab.check.strata import GENERATE, for_all

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("strict_cuda_precision")]


def arm_and_input():
    x = np.random.default_rng(0).standard_normal((2, 8, 64, 96)).astype("f4")
    return hand.AttentionRefinementModule(8, 6, rng=0).to("cuda"), place("cuda").asarray(x)


def large_stratum(name):
    """The part of a case's examples whose arrays fill many blocks."""
    large = next(s for s in CASES[name].strata(100) if s.name == "large")
    return replace(large, count=1)


@pytest.mark.parametrize("name", CASES)
def test_one_large_case(name):
    def agrees(e):
        expect_agreement(name, e, "float32", place("cuda"))

    for_all([large_stratum(name)], agrees, using=GENERATE, seed=0)


def test_exchange_with_torch_copies_nothing():
    import cupy
    import torch

    arm, x = arm_and_input()
    y, backward = arm(x)
    t = torch.from_dlpack(y)
    assert t.is_cuda
    assert t.data_ptr() == y.data.ptr
    dy = torch.randn(t.shape, generator=torch.Generator("cuda").manual_seed(0), device="cuda")
    torch.cuda.synchronize()
    shared = cupy.from_dlpack(dy)
    assert shared.data.ptr == dy.data_ptr()
    dx, _ = backward(shared)
    want, _ = backward(cupy.array(dy.cpu().numpy()))
    np.testing.assert_array_equal(to_host(dx), to_host(want))


def test_work_goes_to_the_current_stream():
    import cupy

    arm, x = arm_and_input()
    want, _ = arm.copy()(x)
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    before, after = cupy.cuda.Event(), cupy.cuda.Event()
    with stream:
        before.record()
        got, _ = arm.copy()(x)
        after.record()
    stream.synchronize()
    np.testing.assert_array_equal(to_host(got), to_host(want))
    assert cupy.cuda.get_elapsed_time(before, after) > 0  # the work lies between the two events


def test_tf32_is_off():
    import torch

    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    a = torch.tensor([[1 + 2.0**-12]], device="cuda").expand(64, 64).contiguous()
    assert (a @ a)[0, 0].item() != 64.0  # TF32 keeps 10 bits of each factor, and would give 64
