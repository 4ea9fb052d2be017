"""Fast versions equal their specification, and the table chooses them where they fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlab import hand
from armlab.arrays import array_namespace
from armlab.check import bounds
from armlab.check.agreement import ROUNDOFF
from armlab.check.cases import CASES
from armlab.check.sides import run_torch
from armlab.hand import kernels
from armlab.hand.kernels import conv2d_rows
from armlab.hand.window import Window


def module_of(function):
    import sys

    return sys.modules[function.__module__]


def run(convolve, e, dtype):
    x, w, dy = (a.astype(dtype) for a in (e.inputs["x"], e.inputs["w"], e.dy))
    options = {k: e.options[k] for k in ("stride", "padding", "dilation")}
    window = Window.of(w.shape[2:], **options)
    y, backward = convolve(x, w, window, e.options["groups"])
    dx, dw = backward(dy)
    return {"y": y, "dx": dx, "dw": dw}


def fits(e):
    options = {k: e.options[k] for k in ("stride", "padding", "dilation")}
    window = Window.of(e.inputs["w"].shape[2:], **options)
    return conv2d_rows.fits(window, e.options["groups"])


taps = module_of(hand.conv2d).conv2d_by_taps


@given(CASES["conv2d"].exact_examples().filter(fits), st.sampled_from(["float32", "float64"]))
def test_rows_by_addition_equals_taps_on_integers(e, dtype):
    fast, plain = run(conv2d_rows.conv2d, e, dtype), run(taps, e, dtype)
    for key, value in plain.items():
        np.testing.assert_array_equal(fast[key], value, strict=True)


@pytest.mark.parametrize("convolve", [conv2d_rows.conv2d, taps], ids=["rows", "taps"])
def test_each_keeps_the_bound_of_convolution(convolve):
    @given(CASES["conv2d"].examples().filter(fits))
    def holds(e):
        exact = run_torch("conv2d", e, "float64")
        limits = bounds.conv2d(e, exact, ROUNDOFF["float32"])
        b = e.inputs["b"]
        if b is not None:
            exact["y"] = exact["y"] - b.reshape(1, -1, 1, 1)
        for key, value in run(convolve, e, "float32").items():
            assert (np.abs(value - exact[key]) <= limits[key]).all(), key

    holds()


def test_the_table_chooses_rows_for_numpy_at_stride_one_only():
    xp = array_namespace(np.zeros(1))
    assert kernels.choose_conv2d(xp, Window.of(3, 1, 1), 1) is conv2d_rows.conv2d
    assert kernels.choose_conv2d(xp, Window.of(3, 2, 1), 1) is None
    assert kernels.choose_conv2d(xp, Window.of(1), 1) is None
    assert kernels.choose_conv2d(xp, Window.of(3, 1, 1), 2) is None
    import torch

    torch_xp = array_namespace(torch.zeros(1))
    assert kernels.choose_conv2d(torch_xp, Window.of(3, 1, 1), 1) is None


def test_without_its_row_the_specification_gives_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-8, 9, (2, 3, 6, 5)) * 1.0, rng.integers(-8, 9, (4, 3, 3, 3)) * 1.0
    dy = rng.integers(-8, 9, (2, 4, 6, 5)) * 1.0
    fast, fast_back = hand.conv2d(x, w, padding=1)
    monkeypatch.setattr(kernels, "CONV2D", [])
    plain, plain_back = hand.conv2d(x, w, padding=1)
    np.testing.assert_array_equal(fast, plain)
    for a, b in zip(fast_back(dy)[:2], plain_back(dy)[:2], strict=True):
        np.testing.assert_array_equal(a, b)
