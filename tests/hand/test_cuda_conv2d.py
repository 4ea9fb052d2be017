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
    "groups": ((2, 4, 5, 7), (6, 2, 3, 3), {"padding": 1, "groups": 2}, 2, 4),
    "one channel each": ((2, 4, 5, 7), (4, 1, 3, 3), {"padding": 1, "groups": 4}, 2, 4),
    "one pixel": ((2, 4, 1, 1), (3, 4, 1, 1), {}, 1, 2),
}
WITHOUT_COLUMNS = {"1×1": (1, 2), "one pixel": (1, 2)}  # launches with a bias, of another kernel
BIASED = pytest.mark.parametrize("biased", [False, True], ids=["", "biased"])


def drawn(x, w, options, biased=False):
    """x, w, b or None, and an upstream gradient, drawn in this order."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(x), rng.standard_normal(w)
    b = rng.standard_normal(len(w)) if biased else None
    y, _ = hand.conv2d(x, w, **options)
    return x, w, b, rng.standard_normal(y.shape)


def there(arrays):
    return [None if a is None else place("emulated").asarray(a) for a in arrays]


def both_ways(x, w, b, dy, options):
    y, backward = hand.conv2d(x, w, b, **options)
    return [to_host(a) for a in (y, *backward(dy)) if a is not None]


@BIASED
@pytest.mark.parametrize("name", CALLS)
def test_launches(name, biased):
    from armlab import emulator

    x, w, options, forward, back = CALLS[name]
    x, w, b, dy = there(drawn(x, w, options, biased))
    for _ in range(2):  # the first call compiles
        with emulator.counting() as counts:
            _, backward = hand.conv2d(x, w, b, **options)
        with emulator.counting() as back_counts:
            backward(dy)
    want = WITHOUT_COLUMNS.get(name, (2, 4)) if biased else (forward, back)
    assert (launches(counts), launches(back_counts)) == want


def launches(counts):
    return sum(c.calls for c in counts.values() if c.kind in ("kernel", "product", "copy", "fill"))


@BIASED
@pytest.mark.parametrize("name", CALLS)
def test_images_in_parts_change_nothing(name, biased, monkeypatch):
    expect_parts_to_change_nothing(name, biased, monkeypatch)


def expect_parts_to_change_nothing(name, biased, monkeypatch):
    shapes, kernel, options, *_ = CALLS[name]
    arrays = there(drawn((5, *shapes[1:]), kernel, options, biased))
    whole = both_ways(*arrays, options)
    monkeypatch.setattr(conv2d_gather, "MOST", 1)  # one image at a time
    for a, b in zip(whole, both_ways(*arrays, options), strict=True):
        np.testing.assert_array_equal(a, b)


@BIASED
def test_a_part_that_forgets_those_before_it_would_be_seen(biased, monkeypatch):
    with planted("gather", "g.before ? *to : real(0)", "0"), pytest.raises(AssertionError):
        expect_parts_to_change_nothing("3×3", biased, monkeypatch)


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


@BIASED
@pytest.mark.parametrize("name", CALLS)
def test_views_give_the_same_bits(name, biased):
    *shapes, options, _, _ = CALLS[name]
    arrays = [a for a in drawn(*shapes, options, biased) if a is not None]
    xp = place("emulated").xp
    turned = [xp.flip(xp.asarray(np.flip(a).copy())) for a in arrays]
    inside = [xp.asarray(np.pad(a, 1))[(slice(1, -1),) * a.ndim] for a in arrays]
    want = both_ways(*with_b(there(arrays)), options)
    for views in (turned, inside):
        for a, b in zip(both_ways(*with_b(views), options), want, strict=True):
            np.testing.assert_array_equal(a, b)


def with_b(arrays):
    """x, w, b and dy, of which b may be left out."""
    return arrays if len(arrays) == 4 else [*arrays[:2], None, arrays[2]]


@BIASED
def test_another_stream(biased):
    import cupy

    *shapes, options, _, _ = CALLS["groups"]
    arrays = there(drawn(*shapes, options, biased))
    want = both_ways(*arrays, options)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        got = both_ways(*arrays, options)
        stream.synchronize()
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_empty_batch():
    xp = place("emulated").xp
    x, w, b = xp.ones((0, 2, 5, 4)), xp.ones((3, 2, 3, 3)), xp.ones(3)
    y, backward = hand.conv2d(x, w, b, padding=1)
    dx, dw, db = backward(y)
    assert (y.shape, dx.shape) == ((0, 3, 5, 4), (0, 2, 5, 4))
    np.testing.assert_array_equal(to_host(dw), np.zeros(w.shape))
    np.testing.assert_array_equal(to_host(db), np.zeros(b.shape))


def end_of_large_columns():
    """The last two columns of both taps of a 1×2 kernel, and the end of x that they look at.

    Of arrays with more than 2³¹ elements, which have memory where it is touched: one block runs.
    """
    from armlab import emulator

    xp, side = place("emulated").xp, 46_400
    x = xp.empty((side, side), dtype=xp.float32)
    x[-1, -3:] = xp.asarray([2.0, 3.0, 5.0])
    columns = xp.empty((2, side * side), dtype=xp.float32)
    columns[:, -2:] = xp.nan
    assert x.size > 1 << 31
    assert x.size % cuda.THREADS == 0
    window = {"n": 1, "c": 1, "h": side, "w": side, "oh": side, "ow": side, "r": 1, "s": 2}
    window |= {"t": 1, "u": 1, "p": 0, "q": 1, "d": 1, "e": 1, "each": 1, "ones": 0}
    laid = cuda.structure(numbers=0, weights=2, taps=2, biased=0)
    with emulator.only_blocks([x.size // cuda.THREADS - 1]):
        given = x, columns, x, x, x, cuda.structure(**window), laid
        cuda.launch("columns", "columns", x, x.size, *given)
    return to_host(columns[:, -2:])


def test_indices_beyond_2_to_the_31():
    np.testing.assert_array_equal(end_of_large_columns(), [[2, 3], [3, 5]])


NARROW = "const long long at = (long long)", "const int at = (int)"
# An access where no memory is, or in what lies before the array: then its end stays as it was.
UNSEEN = pytest.raises((AssertionError, RuntimeError))


def test_indices_of_32_bits_would_be_seen():
    with planted("columns", *NARROW), UNSEEN:
        np.testing.assert_array_equal(end_of_large_columns(), [[2, 3], [3, 5]])


def end_of_a_large_gradient():
    """The last two pixels of dx, of a map with more than 2³¹ that a 1×1 kernel met."""
    from armlab import emulator

    xp, side = place("emulated").xp, 46_400
    assert side * side > 1 << 31
    assert side * side % cuda.THREADS == 0
    dcolumns, dx = (xp.empty((side * side,), dtype=xp.float32) for _ in range(2))
    dcolumns[-2:], dx[-2:] = xp.asarray([3.0, 5.0], dtype=xp.float32), xp.nan
    window = {"n": 1, "c": 1, "h": side, "w": side, "oh": side, "ow": side, "r": 1, "s": 1}
    window |= {"t": 1, "u": 1, "p": 0, "q": 0, "d": 1, "e": 1, "each": 1, "ones": 0}
    with emulator.only_blocks([side * side // cuda.THREADS - 1]):
        sizes = {"threads": dx.size, "weights": 0, "before": 0}
        gathered = cuda.structure(**sizes, down=1, rest=0, along=1, over=0)
        given = dcolumns, dx, dx, dx, dx, cuda.structure(**window), gathered
        cuda.launch("gather", "gather", dx, dx.size, *given)
    return to_host(dx[-2:])


def test_indices_of_a_gradient_beyond_2_to_the_31():
    np.testing.assert_array_equal(end_of_a_large_gradient(), [3, 5])


def test_a_gradient_by_indices_of_32_bits_would_be_seen():
    with planted("gather", *NARROW), UNSEEN:
        np.testing.assert_array_equal(end_of_a_large_gradient(), [3, 5])


def test_the_specification_runs_where_kernels_are_off(monkeypatch):
    *shapes, options, _, _ = CALLS["3×3"]
    arrays = there(drawn(*shapes, options, biased=True))
    monkeypatch.setattr(cuda, "launch", None)  # nobody calls it
    with kernels.specification():
        both_ways(*arrays, options)
    assert Window.of((1, 1)) == Window((1, 1), (1, 1), (0, 0), (1, 1))  # what "whole" is held to
