"""Gates, pools and resizing on CuPy: launches, shapes, tiles, views, streams, ties."""

import itertools
from functools import partial

import numpy as np
import pytest
from cuda_faults import planted

from armlab import hand
from armlab.arrays import to_host
from armlab.check.functions import ROUNDOFF
from armlab.hand import kernels
from armlab.hand.channel_stats import stack_statistics
from armlab.hand.kernels import (
    cuda,
    sigmoid_gate_in_tiles,
    statistics_at_once,
    tiles,
)
from armlab.hand.kernels.tiles import Along
from armlab.places import place
from armlab.watch import watched

pytestmark = pytest.mark.emulated
OWN = {  # the files with these kernels
    f"armlab.hand.kernels.{name}"
    for name in (
        *("channel_conv1d_slide", "concat_at_once", "largest_in_tiles", "max_pool2d_gather"),
        *("means_in_tiles", "resize_gather", "sigmoid_gate_in_tiles", "simam_in_tiles"),
        *("statistics_at_once", "conv2d_linear_bias"),
    )
}
NAN, INF = float("nan"), float("inf")
MAP = (2, 3, 5, 7)
CALLS = {  # (function, shapes of the inputs, options, launches forward, launches backward)
    "gate per channel": ("sigmoid_gate", [MAP, (2, 3, 1, 1)], {}, 1, 1),
    "gate per position": ("sigmoid_gate", [MAP, (2, 1, 5, 7)], {}, 1, 1),
    "gate per element": ("sigmoid_gate", [MAP, MAP], {}, 1, 1),
    "gate per row": ("sigmoid_gate", [MAP, (2, 3, 5, 1)], {}, 1, 1),
    "gate per column": ("sigmoid_gate", [MAP, (2, 3, 1, 7)], {}, 1, 1),
    "global_avg_pool": ("global_avg_pool", [MAP], {}, 1, 1),
    "channel_mean": ("channel_mean", [MAP], {}, 1, 1),
    "mean of rows": ("strip_mean", [MAP], {"axis": 3}, 1, 1),
    "mean of columns": ("strip_mean", [MAP], {"axis": 2}, 1, 1),
    "global_max_pool": ("global_max_pool", [MAP], {}, 1, 1),
    "channel_max": ("channel_max", [MAP], {}, 1, 1),
    "simam_logits": ("simam_logits", [MAP], {"lambda_": 0.1}, 1, 1),
    "max_pool2d": ("max_pool2d", [MAP], {"kernel_size": 3, "stride": 2, "padding": 1}, 1, 1),
    "resize_bilinear": ("resize_bilinear", [MAP], {"size": (8, 4)}, 1, 1),
    "corners aligned": (
        *("resize_bilinear", [MAP], {"size": (8, 4), "align_corners": True}),
        *(1, 1),
    ),
    "resize_nearest": ("resize_nearest", [MAP], {"size": (3, 11)}, 1, 1),
    "concat_channels": ("concat_channels", [MAP, (2, 4, 5, 7)], {}, 1, 1),
    "join_strips": ("join_strips", [(2, 3, 5, 1), (2, 3, 1, 7)], {}, 1, 1),
    "split_strips": ("split_strips", [(2, 3, 12, 1)], {"height": 5}, 1, 1),
    "linear": ("conv2d", [(3, 5, 1, 1), (7, 5, 1, 1), (7,)], {}, 1, 2),
    "linear at each pixel": ("conv2d", [MAP, (7, 3, 1, 1), (7,)], {}, 1, 2),
    "channel_conv1d": ("channel_conv1d", [(2, 9, 1, 1), (1, 1, 5)], {}, 1, 2),
}


def drawn(name):
    """Inputs and an upstream gradient, drawn in this order."""
    function, shapes, options, *_ = CALLS[name]
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(shape) for shape in shapes]
    y, _ = getattr(hand, function)(*inputs, **options)
    return [*inputs, *(rng.standard_normal(part.shape) for part in as_tuple(y))]


def both_ways(name, arrays, keep=to_host):
    function, shapes, options, *_ = CALLS[name]
    inputs, dy = arrays[: len(shapes)], arrays[len(shapes) :]
    y, backward = getattr(hand, function)(*inputs, **options)
    grads = backward(tuple(dy) if len(dy) > 1 else dy[0])
    return [keep(a) for a in (*as_tuple(y), *as_tuple(grads))]


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def launches(counts):
    return sum(c.calls for c in counts.values() if c.kind in ("kernel", "product", "copy", "fill"))


def waits(counts):
    return sum(c.calls for c in counts.values() if c.kind == "wait")


@pytest.mark.parametrize("name", CALLS)
def test_launches(name):
    function, shapes, options, forward, back = CALLS[name]
    arrays = [place("emulated").asarray(a) for a in drawn(name)]
    inputs, dy = arrays[: len(shapes)], arrays[len(shapes) :]
    run = partial(getattr(hand, function), *inputs, **options)
    assert launched_by(run, tuple(dy) if len(dy) > 1 else dy[0]) == (forward, back)


def launched_by(run, dy):
    """Launches forward and backward, with no wait among them."""
    from armlab import emulator

    for _ in range(2):  # the first call compiles
        with emulator.counting() as counts:
            _, backward = run()
        with emulator.counting() as back_counts:
            backward(dy)
    assert waits(counts) == waits(back_counts) == 0
    return launches(counts), launches(back_counts)


def test_every_row_of_these_kernels_is_launched_here():
    rows = {row.function for row in kernels.TABLE if row.run.__module__ in OWN}
    here = {function for function, *_ in CALLS.values()}
    assert rows == (here - {"conv2d"}) | {"stack_statistics", "conv2d_with_bias"}


@pytest.mark.parametrize("name", CALLS)
def test_views_give_the_same_bits(name):
    arrays, xp = drawn(name), place("emulated").xp
    turned = [xp.flip(xp.asarray(np.flip(a).copy())) for a in arrays]
    inside = [xp.asarray(np.pad(a, 1))[(slice(1, -1),) * a.ndim] for a in arrays]
    want = both_ways(name, [xp.asarray(a) for a in arrays])
    for others in (turned, inside):
        for a, b in zip(both_ways(name, others), want, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CALLS)
def test_another_stream(name):
    where = place("emulated")
    import cupy

    there = [where.asarray(a) for a in drawn(name)]
    want = both_ways(name, there)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        got = both_ways(name, there)
        stream.synchronize()
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CALLS)
def test_what_came_in_is_left_as_it_was_and_not_given_back(name):
    import cupy

    arrays = drawn(name)
    there = [place("emulated").asarray(a) for a in arrays]
    for result in both_ways(name, there, keep=lambda a: a):
        assert not any(cupy.may_share_memory(result, given) for given in there)
    for a, b in zip(there, arrays, strict=True):
        np.testing.assert_array_equal(to_host(a), b)


@pytest.mark.parametrize("name", CALLS)
def test_an_empty_batch(name):
    weights = [shape for shape in CALLS[name][1] if len(shape) != 4 or shape[0] == 7]
    arrays = [a if a.shape in weights else a[:0] for a in drawn(name)]
    got = both_ways(name, [place("emulated").asarray(a) for a in arrays])
    for a, b in zip(got, both_ways(name, arrays), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


SIZES = [(1, 1, 1), (1, 300, 2), (17, 2, 300), (3, 33, 31)]


@pytest.mark.parametrize("pixels", [(1, 1), (1, 2), (19, 37)])
@pytest.mark.parametrize(("n", "c", "k"), SIZES)
def test_linear_layers_of_many_sizes(n, c, k, pixels):
    expect_a_linear_layer(n, c, k, pixels)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("part += column < c", "part = column < c"),
        ("n += images, p += further", "p += further"),
        ("n += images, p += further", "n += images"),
        ("n++, p -= pixels", "p -= pixels"),
    ],
)
def test_what_is_wrong_with_all_but_the_first_terms_of_a_thread_is_seen(right, wrong):
    with planted("linear", right, wrong):
        expect_a_linear_layer(*SIZES[0], (1, 2))  # a term for each thread
        with pytest.raises(AssertionError):
            expect_large_linear_layers()


def expect_large_linear_layers():
    """Several terms for each thread of `weigh`, of one image and of several."""
    for (n, c, k), pixels in itertools.product(SIZES[2:], [(1, 2), (5, 7), (19, 37)]):
        expect_a_linear_layer(n, c, k, pixels)


def expect_a_linear_layer(n, c, k, pixels):
    rng = np.random.default_rng(0)
    shapes = (n, c, *pixels), (k, c, 1, 1), (k,), (n, k, *pixels)
    *inputs, dy = (rng.integers(-8, 9, shape) * 1.0 for shape in shapes)
    there = [place("emulated").asarray(a.astype("f4")) for a in inputs]
    (y, backward), (want, want_back) = hand.conv2d(*there), hand.conv2d(*inputs)
    grads = backward(place("emulated").asarray(dy.astype("f4")))
    for got, right in zip((y, *grads), (want, *want_back(dy)), strict=True):
        np.testing.assert_array_equal(to_host(got), right.astype("f4"), strict=True)
    dx, dw, db = backward(place("emulated").asarray(dy.astype("f4")), input_grad=False)
    assert dx is None
    for got, right in zip((dw, db), grads[1:], strict=True):
        np.testing.assert_array_equal(to_host(got), to_host(right))


def expect_a_slide(n, c, taps):
    rng = np.random.default_rng(0)
    z, w, da = (rng.integers(-8, 9, s) * 1.0 for s in ((n, c, 1, 1), (1, 1, taps), (n, c, 1, 1)))
    a, backward = hand.channel_conv1d(z, w)
    there = [place("emulated").asarray(v.astype("f4")) for v in (z, w, da)]
    got, got_back = hand.channel_conv1d(*there[:2])
    for one, right in zip((got, *got_back(there[2])), (a, *backward(da)), strict=True):
        np.testing.assert_array_equal(to_host(one), right.astype("f4"), strict=True)


@pytest.mark.parametrize(("n", "c"), [(1, 1), (2, 700), (67, 5), (3, 256), (5, 97)])
def test_a_slide_over_more_channels_than_a_block_has_threads(n, c):
    expect_a_slide(n, c, 3)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("channel += further", "channel += 0"), ("if (channel >= c) channel -= c;", "")],
)
def test_channels_of_the_next_image_would_be_seen(right, wrong):
    with planted("conv1d", right, wrong), pytest.raises(AssertionError):
        expect_a_slide(5, 97, 3)


# -- two statistics at once ------------------------------------------------------------------------

OVER = {"channels": (hand.channel_mean, hand.channel_max)}
OVER["positions"] = hand.global_avg_pool, hand.global_max_pool


def by_parts(statistic):
    """The same function, but one that the table does not know."""
    return lambda x: statistic(x)


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("mean_first", [True, False])
@pytest.mark.parametrize("over", OVER)
def test_mean_and_maximum_are_those_of_the_parts_to_the_last_bit(over, mean_first, dtype):
    first, second = OVER[over] if mean_first else reversed(OVER[over])
    rng = np.random.default_rng(0)
    for shape in (MAP, (1, 1, 1, 1), (3, 300, 2, 1), (2, 2, 19, 37), (0, 3, 2, 2), (2, 67, 9, 5)):
        for x in (rng.standard_normal(shape), rng.choice([NAN, 0.0, -0.0, INF, 1.0], shape)):
            there = place("emulated").asarray(x, dtype)
            m, backward = stack_statistics(there, first, second)
            parts, parts_back = stack_statistics(there, by_parts(first), by_parts(second))
            assert parts_back.__module__ != backward.__module__
            dm = place("emulated").asarray(rng.standard_normal(m.shape), dtype)
            for a, b in ((m, parts), (backward(dm), parts_back(dm))):
                np.testing.assert_array_equal(to_host(a), to_host(b), strict=True)


@pytest.mark.parametrize("over", OVER)
def test_two_statistics_are_one_launch_each_way(over):
    x = place("emulated").asarray(np.random.default_rng(0).standard_normal(MAP))
    m, _ = stack_statistics(x, *OVER[over])
    assert launched_by(lambda: stack_statistics(x, *OVER[over]), m) == (1, 1)
    parts = [by_parts(statistic) for statistic in OVER[over]]
    assert launched_by(lambda: stack_statistics(x, *parts), m) == (3, 4)


def test_whoever_watches_sees_each_of_two_statistics():
    x = place("emulated").asarray(np.random.default_rng(0).standard_normal(MAP))
    with watched() as calls:
        stack_statistics(x, *map(watched_now, OVER["channels"]))
    assert [call.name for call in calls] == ["channel_mean", "channel_max", "concat_channels"]


def watched_now(statistic):
    """What stands in the place of a function of `armlab.hand`."""
    return getattr(hand, statistic.__name__)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (hand.channel_mean, hand.channel_mean),
        (hand.channel_max, hand.global_avg_pool),
        (hand.global_max_pool, hand.channel_max),
    ],
)
def test_other_pairs_are_taken_by_parts(first, second):
    assert not statistics_at_once.fits(None, first, second)


# -- gates of any shape, tiles of any size ---------------------------------------------------------


def halves_and_ones(rng, shape):
    """Logits whose gates are 1/2 and 1, so that nothing rounds."""
    return rng.choice([0.0, 100.0], shape)


def assert_gates_alike(shape, gate, fits):
    rng = np.random.default_rng(0)
    x, a = rng.integers(-8, 9, shape) * 1.0, halves_and_ones(rng, gate)
    dy = rng.integers(-8, 9, shape) * 1.0
    there = [place("emulated").asarray(v.astype("f4")) for v in (x, a)]
    assert sigmoid_gate_in_tiles.fits(*there, None) == fits
    y, backward = hand.sigmoid_gate(*there)
    with kernels.specification():
        want, want_back = hand.sigmoid_gate(x, a)
    dx, da = backward(place("emulated").asarray(dy.astype("f4")))
    for got, right in zip((y, dx, da), (want, *want_back(dy)), strict=True):
        np.testing.assert_array_equal(to_host(got), right.astype("f4"), strict=True)


@pytest.mark.parametrize("repeated", list(itertools.product([False, True], repeat=4)))
def test_a_gate_repeated_along_any_axes(repeated):
    """One kernel where these are neighbours, the specification where there is another between."""
    gate = tuple(1 if r else n for r, n in zip(repeated, MAP, strict=True))
    runs = sum(1 for key, _ in itertools.groupby(repeated) if key)
    assert_gates_alike(MAP, gate, runs <= 1)


@pytest.mark.parametrize(
    ("shape", "gate"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((5, 7, 1, 1), (5, 7, 1, 1)),  # pooled maps
        ((2, 3, 1, 7), (2, 3, 1, 1)),  # an axis of length 1 is no axis between
        ((2, 1, 5, 7), (1, 1, 5, 7)),
        ((1, 2, 23, 31), (1, 2, 1, 1)),  # several terms for a thread
        ((1, 300, 2, 1), (1, 1, 2, 1)),
        ((1, 67, 1, 37), (1, 1, 1, 37)),
        ((2, 261, 3, 1), (2, 261, 3, 1)),
        ((0, 3, 2, 2), (1, 3, 2, 2)),  # a sum of nothing
        ((0, 3, 2, 2), (0, 1, 2, 2)),
    ],
)
def test_gates_of_sizes_that_fill_a_tile_or_do_not(shape, gate):
    assert_gates_alike(shape, gate, True)


@pytest.mark.parametrize("full", [1, tiles.FULL])
@pytest.mark.parametrize("before", [1, 2, 3, 67])
@pytest.mark.parametrize("count", [1, 2, 5, 256, 257, 613])
@pytest.mark.parametrize("after", [1, 3, 31, 64])
def test_sums_and_maxima_in_tiles_of_every_form(before, count, after, full, monkeypatch):
    """Also where results are taken to fill a card."""
    monkeypatch.setattr(tiles, "FULL", full)
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, (before, count, 1, after)) * 1.0
    there = place("emulated").asarray(x.astype("f4"))
    got = tiles_sum(there, Along(before, count, after))
    np.testing.assert_array_equal(to_host(got), x.sum(axis=1).reshape(before, after))
    y, _ = hand.channel_max(there)
    np.testing.assert_array_equal(to_host(y), x.max(axis=1, keepdims=True))


def tiles_sum(x, along):
    y = cuda.empty(x, (along.before, along.after))
    numbers = along.numbers(), np.float32(1)
    tiles.launch("means", "mean", x, along, x, y, *numbers)
    return y


def test_a_tile_reads_neighbours_in_memory():
    """32 numbers side by side are read together, or all there are."""
    assert Along(6, 1000, 1).rows == 256
    assert Along(6, 7, 1).rows == 8
    assert Along(6, 1000, 64).rows == 8
    assert Along(6, 1000, 5).rows == 32
    assert Along(1, 1, 1000).rows == 1


def test_rows_are_few_where_results_alone_fill_a_card():
    assert Along(8, 64, 1 << 12).rows == 8
    assert Along(8, 64, 1 << 14).rows == 2
    assert Along(8, 64, 1 << 20).rows == 1
    assert Along(1 << 20, 100, 1).rows == 32  # neighbours
    assert Along(1 << 20, 5, 1).rows == 8


def test_a_long_sum_stays_close():
    """2²⁰ positive terms: a thread adds 2¹² of them, and eight halves: 2¹² + 8 roundings."""
    x = np.random.default_rng(0).random((1, 1, 1 << 10, 1 << 10), dtype="f4")
    y, _ = hand.global_avg_pool(place("emulated").asarray(x))
    want = x.mean(dtype="f8")
    assert abs(float(to_host(y)[0, 0, 0, 0]) - want) <= ((1 << 12) + 8) * ROUNDOFF["float32"] * want


# -- ties, NaN, infinities -------------------------------------------------------------------------

CHOICES = {
    "global_max_pool": {},
    "channel_max": {},
    "max_pool2d": {"kernel_size": (3, 2), "stride": 1, "padding": 1},
    "resize_nearest": {"size": (4, 9)},
    "concat_channels": {},
}


def of_special_values(function):
    """What the specification and CuPy make of arrays full of ties, NaN and infinities."""
    rng = np.random.default_rng(0)
    for values in ([0.0, -0.0, 1.0], [NAN, 1.0, 2.0], [INF, -INF, 1.0], [-INF], [NAN]):
        inputs = [rng.choice(values, MAP) for _ in range(1 + (function == "concat_channels"))]
        with kernels.specification():
            y, backward = getattr(hand, function)(*inputs, **CHOICES[function])
        dy = rng.integers(-8, 9, y.shape) * 1.0
        there = [place("emulated").asarray(a) for a in (*inputs, dy)]
        got, got_back = getattr(hand, function)(*there[:-1], **CHOICES[function])
        yield (y, *as_tuple(backward(dy))), (got, *as_tuple(got_back(there[-1])))


def assert_special_values_are_those_of_the_specification(function):
    for want, got in of_special_values(function):
        for a, b in zip(want, got, strict=True):
            np.testing.assert_array_equal(to_host(b), a, strict=True)


@pytest.mark.parametrize("function", CHOICES)
def test_ties_and_special_values_are_those_of_the_specification(function):
    assert_special_values_are_those_of_the_specification(function)


@pytest.mark.parametrize(
    ("page", "right", "wrong", "function"),
    [
        ("largest", "if (x_nan != y_nan) return x_nan;", "", "channel_max"),
        ("largest", "return x_nan || x == y", "return x == y", "global_max_pool"),
        ("pool", "other > best[k] || other != other", "other > best[k]", "max_pool2d"),
        ("pool", "won[k] = -1;", "won[k] = 0;", "max_pool2d"),
    ],
)
def test_a_kernel_that_takes_special_values_otherwise_is_seen(page, right, wrong, function):
    with planted(page, right, wrong), pytest.raises(AssertionError):
        assert_special_values_are_those_of_the_specification(function)


@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_gates_at_the_ends(dtype):
    """No overflow: 1 where the logit is stopped, 0 far below, NaN of a NaN."""
    a = np.array([-INF, -1e4, 0, 40, 89, 1e4, INF, NAN, -700], dtype).reshape(1, 9, 1, 1)
    ones = place("emulated").asarray(np.ones_like(a))
    s, backward = hand.sigmoid_gate(ones, place("emulated").asarray(a))
    s, slopes = to_host(s).ravel(), to_host(backward(ones)[1]).ravel()
    np.testing.assert_array_equal(s[:-1], [0, 0, 0.5, 1, 1, 1, 1, NAN])
    assert 0 <= s[-1] <= 2.0**-126
    np.testing.assert_array_equal(slopes[:-1], [0, 0, 0.25, 0, 0, 0, 0, NAN])


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (10, 21), (2, 3), (13, 5)])
def test_a_constant_map_stays_so_when_it_is_resized(size):
    """Weights add up to 1, and dx gives all of dy back."""
    x = place("emulated").asarray(np.full(MAP, 3.0))
    y, backward = hand.resize_bilinear(x, size=size)
    np.testing.assert_allclose(to_host(y), 3.0, rtol=4 * ROUNDOFF["float64"])
    dy = np.random.default_rng(0).standard_normal(y.shape)
    dx = backward(place("emulated").asarray(dy))
    terms = dy.size * 4  # of at most four weights each, rounded three times
    assert abs(to_host(dx).sum() - dy.sum()) <= terms * ROUNDOFF["float64"] * np.abs(dy).sum()


def test_the_same_size_changes_nothing():
    x = np.random.default_rng(0).standard_normal(MAP)
    for function in (hand.resize_bilinear, hand.resize_nearest):
        y, backward = function(place("emulated").asarray(x), size=MAP[2:])
        np.testing.assert_array_equal(to_host(y), x)
        np.testing.assert_array_equal(to_host(backward(y)), x)
