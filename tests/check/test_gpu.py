"""On a GPU with torch.cuda: the same numbers, exchange without copies, and float32 that is float32.

What needs CuPy alone is in `test_cupy.py`, which runs on a GPU as well.
"""

import numpy as np
import pytest
from hypothesis import settings

from armlab import hand
from armlab.arrays import to_host
from armlab.check.case import SPECIAL
from armlab.check.cases import CASES
from armlab.check.sides import run_hand, run_torch
from armlab.check.strata import for_all
from armlab.places import place

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("strict_cuda_precision")]


@pytest.mark.parametrize("name", CASES)
def test_cupy_against_torch_cuda(name):
    """Of values that may be compared everywhere: where NaN reaches, only the bounds' test knows."""

    def agrees(e):
        by_hand = run_hand(name, e, "float64", place("cuda"))
        on_cuda = run_torch(name, e, "float64", "cuda")
        for key, value in on_cuda.items():
            if value is not None:
                size = max(1.0, float(np.max(np.abs(value), initial=0)))
                np.testing.assert_allclose(by_hand[key], value, rtol=0, atol=1e-9 * size)

    strata = CASES[name].strata(settings().max_examples)
    for_all([s for s in strata if s.name != SPECIAL], agrees)


def test_exchange_with_torch_copies_nothing():
    import cupy
    import torch

    arm = hand.AttentionRefinementModule(8, 6, rng=0).to("cuda")
    x = np.random.default_rng(0).standard_normal((2, 8, 64, 96)).astype("f4")
    y, backward = arm(place("cuda").asarray(x))
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


def test_tf32_is_off():
    import torch

    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    a = torch.tensor([[1 + 2.0**-12]], device="cuda").expand(64, 64).contiguous()
    assert (a @ a)[0, 0].item() != 64.0  # TF32 keeps 10 bits of each factor, and would give 64
