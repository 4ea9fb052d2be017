"""The gradient of a bias on CuPy: how channels are cut, launches, values."""

import numpy as np
import pytest
from cuda_faults import channel_sum as faults
from cuda_faults import fails, planted

from armlab import hand
from armlab.arrays import to_host
from armlab.check.functions import ROUNDOFF
from armlab.hand.kernels import channel_sum_slices, conv2d_linear_bias, slices
from armlab.hand.kernels.channel_sum_slices import channel_sum
from armlab.hand.kernels.slices import Cut
from armlab.places import place

pytestmark = pytest.mark.emulated
CUT, WHOLE = (3, 2, 53, 61), (3, 5, 7, 11)  # 9,699 values a channel, and 231


def numbers(shape, dtype="float64"):
    return np.random.default_rng(0).integers(-8, 9, shape).astype(dtype)


def summed(x):
    """As an array of the host, in strict mode."""
    from armlab import emulator

    with emulator.strict():
        return to_host(channel_sum(place("emulated").asarray(x)))


@pytest.mark.parametrize(
    ("shape", "want"),
    [
        (WHOLE, {"mean": 1}),
        (CUT, {"sum_slices": 1, "mean": 1}),
        ((1, 1056, 67, 67), {"mean": 1}),  # of many channels each is a block
        ((2, 7, 1, 1), {"mean": 1}),
    ],
)
def test_launches(shape, want):
    from armlab import emulator

    x = place("emulated").asarray(np.ones(shape), "float32")
    channel_sum(x)
    with emulator.counting() as counts:
        channel_sum(x)
    assert {name: count.calls for name, count in counts.items()} == want


@pytest.mark.parametrize(
    ("channels", "values", "most"),
    [(19, 2**22, 56), (1, 2**30, 256), (19, 10_000, 3), (528, 2**20, 2), (1056, 2**20, 1)],
)
def test_as_many_slices_as_a_card_has_blocks_for(channels, values, most):
    x = place("emulated").xp.empty((1, channels, 1, values), dtype="float32")
    cut = Cut("channel_sum", x, most=-(-channel_sum_slices.BLOCKS // channels))
    assert cut.slices == most
    length = int(cut.shape["length"])
    assert cut.slices * length >= values > (cut.slices - 1) * length


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("length", [5, 700, slices.SLICE])
@pytest.mark.parametrize("shape", [CUT, WHOLE, (40, 3, 2, 9), (1, 1, 1, 1), (700, 2, 1, 1)])
def test_of_integers_it_is_exact(shape, length, dtype, monkeypatch):
    monkeypatch.setattr(slices, "SLICE", length)
    x = numbers(shape, dtype)
    np.testing.assert_array_equal(summed(x), x.sum((0, 2, 3)), strict=True)


@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_it_is_off_by_no_more_than_its_additions(dtype):
    """A thread adds at most 16 values of a slice; then come a tree of threads and one of slices."""
    x = (1e3 + np.random.default_rng(1).standard_normal(CUT)).astype(dtype)
    wide = x.astype(np.longdouble)
    bound = (16 + 8 + 8) * ROUNDOFF[dtype] * np.abs(wide).sum((0, 2, 3))
    assert (np.abs(summed(x) - wide.sum((0, 2, 3))) <= bound).all()


def test_an_empty_batch_has_sums_of_nothing():
    np.testing.assert_array_equal(summed(numbers((0, 3, 99, 99), "f4")), np.zeros(3, "f4"))


def test_a_view_is_summed_as_it_is_and_the_bits_are_the_same_each_time():
    where, x = place("emulated"), np.random.default_rng(2).standard_normal(CUT).astype("f4")
    turned = where.xp.flip(where.asarray(np.flip(x).copy()))
    want = summed(x)
    for _ in range(2):
        np.testing.assert_array_equal(to_host(channel_sum(turned)), want, strict=True)


def test_the_bias_of_a_head_hears_of_every_slice(monkeypatch):
    """A 1×1 convolution of a map that is too large to be read again for each class."""
    from armlab import emulator

    monkeypatch.setattr(conv2d_linear_bias, "MOST", 0)
    where, rng = place("emulated"), np.random.default_rng(3)
    shapes = CUT, (6, 2, 1, 1), (6,), (3, 6, 53, 61)
    x, w, b, dy = (where.asarray(rng.integers(-4, 5, shape), "float32") for shape in shapes)
    _, backward = hand.conv2d(x, w, b)
    with emulator.counting() as counts:
        _, _, db = backward(dy)
    assert counts["sum_slices"].calls == 1
    np.testing.assert_array_equal(to_host(db), to_host(dy).sum((0, 2, 3)), strict=True)


def expect_exact_sums():
    for shape in (CUT, WHOLE, (40, 3, 20, 9)):
        x = numbers(shape)
        np.testing.assert_array_equal(summed(x), x.sum((0, 2, 3)), strict=True)


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault[4])
def test_a_wrong_kernel_is_caught(fault, monkeypatch):
    monkeypatch.setattr(slices, "SLICE", 700)
    expect_exact_sums()
    page, right, wrong, *_ = fault
    with planted(page, right, wrong):
        assert fails(expect_exact_sums)


# -- indices beyond 2³¹ -------------------------------------------------------------------------


def expect_the_last_slice():
    """Of three channels of 2³⁰ numbers, memory is taken where it is touched alone."""
    from armlab import emulator

    x = place("emulated").xp.empty((1, 3, 1 << 15, 1 << 15), dtype="float32")
    cut = Cut("channel_sum", x)
    x.reshape(-1)[-int(cut.shape["length"]) :] = 0
    x[..., -1, -1] = 3.0
    parts = place("emulated").xp.zeros((3, cut.slices), dtype="float32")
    with emulator.only_blocks([cut.blocks - 1]):
        cut.launch("sum_slices", x, parts)
    assert to_host(parts)[-1, -1] == 3.0


def test_indices_beyond_2_to_the_31():
    expect_the_last_slice()


def test_indices_of_32_bits_would_be_seen():
    wide = "at = (image * s.c + channel) * s.p + pixel;"
    with planted("channel_sum", wide, wide.replace("(image", "int((image").replace(";", ");")):
        assert fails(expect_the_last_slice)
