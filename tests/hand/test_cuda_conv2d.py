"""Convolution on CuPy: launches, parts of a batch, views, streams, and indices beyond 2³¹."""

import numpy as np
import pytest
from cuda_faults import planted

from armlab import hand
from armlab.arrays import to_host
from armlab.hand import kernels
from armlab.hand.kernels import conv2d_gather, conv2d_linear_bias, cuda
from armlab.hand.window import Window
from armlab.places import place

pytestmark = pytest.mark.emulated
CALLS = {  # (x, w, options, launches forward, launches backward)
    "3×3": ((2, 4, 5, 7), (3, 4, 3, 3), {"padding": 1}, 2, 4),
    "strided": ((2, 4, 7, 5), (3, 4, 3, 2), {"stride": 2, "dilation": (2, 1)}, 2, 4),
    "1×1": ((2, 4, 5, 7), (3, 4, 1, 1), {}, 1, 3),
    "strided 1×1": ((2, 4, 5, 7), (3, 4, 1, 1), {"stride": 2}, 2, 4),
    "groups": ((2, 4, 5, 7), (6, 2, 3, 3), {"padding": 1, "groups": 2}, 3, 5),
    "one channel each": ((2, 4, 5, 7), (4, 1, 3, 3), {"padding": 1, "groups": 4}, 3, 5),
    "one pixel": ((2, 4, 1, 1), (3, 4, 1, 1), {}, 1, 2),
}


def drawn(x, w, options):
    """Inputs and an upstream gradient, drawn in this order."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(x), rng.standard_normal(w)
    y, _ = hand.conv2d(x, w, **options)
    return x, w, rng.standard_normal(y.shape)


def both_ways(x, w, dy, options):
    y, backward = hand.conv2d(x, w, **options)
    return [to_host(a) for a in (y, *backward(dy)[:2])]


@pytest.mark.parametrize("name", CALLS)
def test_launches(name):
    from armlab import emulator

    x, w, options, forward, back = CALLS[name]
    x, w, dy = map(place("emulated").asarray, drawn(x, w, options))
    for _ in range(2):  # the first call compiles
        with emulator.counting() as counts:
            _, backward = hand.conv2d(x, w, **options)
        with emulator.counting() as back_counts:
            backward(dy)
    assert launches(counts) == forward
    assert launches(back_counts) == back


def launches(counts):
    return sum(c.calls for c in counts.values() if c.kind in ("kernel", "product", "copy", "fill"))


@pytest.mark.parametrize("name", CALLS)
def test_images_in_parts_change_nothing(name, monkeypatch):
    expect_parts_to_change_nothing(name, monkeypatch)


def expect_parts_to_change_nothing(name, monkeypatch):
    shapes, kernel, options, *_ = CALLS[name]
    arrays = drawn((5, *shapes[1:]), kernel, options)
    there = [place("emulated").asarray(a) for a in arrays]
    whole = both_ways(*there, options)
    monkeypatch.setattr(conv2d_gather, "MOST", 1)  # one image at a time
    for a, b in zip(whole, both_ways(*there, options), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_part_that_forgets_those_before_it_would_be_seen(monkeypatch):
    with planted("columns", "g.before ? dw[weight] : real(0)", "0"), pytest.raises(AssertionError):
        expect_parts_to_change_nothing("3×3", monkeypatch)


@pytest.mark.parametrize("most", [1 << 24, 1])
def test_few_classes_with_a_bias_are_a_product_where_there_is_much_to_read(most, monkeypatch):
    from armlab import emulator

    monkeypatch.setattr(conv2d_linear_bias, "MOST", most)
    rng = np.random.default_rng(0)
    shapes = (2, 4, 5, 7), (3, 4, 1, 1), (3,), (2, 3, 5, 7)
    x, w, b, dy = (place("emulated").asarray(rng.standard_normal(shape)) for shape in shapes)
    for _ in range(2):
        with emulator.counting() as counts:
            _, backward = hand.conv2d(x, w, b)
        with emulator.counting() as back_counts:
            backward(dy)
    assert (launches(counts), launches(back_counts)) == ((1, 2) if most > 1 else (2, 4))


@pytest.mark.parametrize("name", CALLS)
def test_views_give_the_same_bits(name):
    x, w, options, *_ = CALLS[name]
    x, w, dy = drawn(x, w, options)
    xp = place("emulated").xp
    there = [xp.asarray(a) for a in (x, w, dy)]
    turned = [xp.flip(xp.asarray(np.flip(a).copy())) for a in (x, w, dy)]
    inside = [xp.asarray(np.pad(a, 1))[(slice(1, -1),) * 4] for a in (x, w, dy)]
    want = both_ways(*there, options)
    for arrays in (turned, inside):
        for a, b in zip(both_ways(*arrays, options), want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_another_stream():
    where = place("emulated")
    import cupy

    x, w, options, *_ = CALLS["3×3"]
    there = [where.asarray(a) for a in drawn(x, w, options)]
    want = both_ways(*there, options)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        got = both_ways(*there, options)
        stream.synchronize()
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_batch():
    xp = place("emulated").xp
    x, w = xp.ones((0, 2, 5, 4)), xp.ones((3, 2, 3, 3))
    y, backward = hand.conv2d(x, w, padding=1)
    dx, dw, _ = backward(y)
    assert (y.shape, dx.shape) == ((0, 3, 5, 4), (0, 2, 5, 4))
    np.testing.assert_array_equal(to_host(dw), np.zeros(w.shape))


def end_of_large_columns():
    """The last two columns of tap (2, 2), at the ends of the last two rows, and what is in x.

    Of an array with more than 2³¹ elements, which has memory where it is touched: two blocks run.
    """
    from armlab import emulator

    xp = place("emulated").xp
    side, taps = 1 << 14, 9
    x = xp.empty((1, 1, side, side), dtype=xp.float32)
    corner = np.arange(1.0, 10.0, dtype="f4").reshape(3, 3)
    x[0, 0, -3:, -3:] = xp.asarray(corner)
    columns = xp.empty((taps, side * side), dtype=xp.float32)
    assert columns.size > 1 << 31
    window = {"n": 1, "c": 1, "h": side, "w": side, "oh": side, "ow": side, "r": 3, "s": 3}
    window |= {"t": 1, "u": 1, "p": 1, "q": 1, "d": 1, "e": 1}
    last = columns.size // cuda.THREADS - 1
    with emulator.only_blocks([last - side // cuda.THREADS, last]):
        cuda.launch("columns", "columns", x, columns.size, x, columns, cuda.structure(**window))
    rows = columns[-1].reshape(side, side)[-2:, -2:]
    return to_host(rows), corner


def test_indices_beyond_2_to_the_31():
    found, corner = end_of_large_columns()
    # Tap (2, 2) looks one row down and one along: in the last of both there is padding.
    np.testing.assert_array_equal(found, [[corner[-1, -1], 0], [0, 0]])


NARROW = "columns", "const long long at = (long long)", "const int at = (int)", True  # both kernels


def test_indices_of_32_bits_would_be_seen():
    with planted(*NARROW), pytest.raises(Exception, match=r"kernel columns (reads|writes)"):
        end_of_large_columns()


def end_of_a_large_gradient():
    """The last two pixels of dx, of a map with more than 2³¹ that a 1×1 kernel met."""
    from armlab import emulator

    xp, side = place("emulated").xp, 46_400
    assert side * side > 1 << 31
    assert side * side % cuda.THREADS == 0
    dcolumns, dx = (xp.empty((side * side,), dtype=xp.float32) for _ in range(2))
    dcolumns[-2:] = xp.asarray([3.0, 5.0], dtype=xp.float32)
    window = {"n": 1, "c": 1, "h": side, "w": side, "oh": side, "ow": side, "r": 1, "s": 1}
    window |= {"t": 1, "u": 1, "p": 0, "q": 0, "d": 1, "e": 1}
    with emulator.only_blocks([side * side // cuda.THREADS - 1]):
        gathered = cuda.structure(pixels=dx.size, weights=0, before=0)
        given = dcolumns, dx, dx, dx, cuda.structure(**window), gathered
        cuda.launch("columns", "gather", dx, dx.size, *given)
    return to_host(dx[-2:])


def test_indices_of_a_gradient_beyond_2_to_the_31():
    np.testing.assert_array_equal(end_of_a_large_gradient(), [3, 5])


def test_a_gradient_by_indices_of_32_bits_would_be_seen():
    """As an access where no memory is, or in what lies before dx: then its end stays unwritten."""
    from cupy_backends.cuda.api.driver import CUDADriverError

    wrong = pytest.raises((AssertionError, CUDADriverError))
    with planted(*NARROW), wrong:
        np.testing.assert_array_equal(end_of_a_large_gradient(), [3, 5])


def test_the_specification_runs_where_kernels_are_off(monkeypatch):
    x, w, options, *_ = CALLS["3×3"]
    there = [place("emulated").asarray(a) for a in drawn(x, w, options)]
    monkeypatch.setattr(cuda, "launch", None)  # nobody calls it
    with kernels.specification():
        both_ways(*there, options)
    assert Window.of((1, 1)) == Window((1, 1), (1, 1), (0, 0), (1, 1))  # what "whole" is held to
