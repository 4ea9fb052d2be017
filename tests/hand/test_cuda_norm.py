"""Batch normalisation and activations on CuPy: launches, slices, views, streams, far indices."""

import math
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from cuda_faults import fails, planted

from armlab import hand
from armlab.arrays import to_host
from armlab.check.agreement import expect_agreement, expect_equal
from armlab.check.cases import CASES
from armlab.check.functions import ROUNDOFF
from armlab.check.strata import GENERATE, for_all
from armlab.hand import kernels
from armlab.hand.batch_norm_activated import activated
from armlab.hand.kernels import batch_norm_slices, cuda, slices
from armlab.hand.kernels.slices import Cut
from armlab.places import place
from armlab.watch import watched

pytestmark = pytest.mark.emulated
ONE, SEVERAL = (3, 5, 7, 11), (3, 2, 53, 61)  # slices of a channel: 231 values, and 9,699
ACTIVATIONS = {"relu": {}, "leaky_relu": {"slope": 0.3}, "hard_swish": {}, "sigmoid": {}}


def launched(run):
    """What a second run launches, by name; the first compiles."""
    from armlab import emulator

    run()
    with emulator.counting() as counts:
        run()
    assert {count.kind for count in counts.values()} <= {"kernel", "product"}
    return {name: count.calls for name, count in counts.items()}


def drawn(shape, dtype="float32"):
    """x and dy, in this order, on the device."""
    rng = np.random.default_rng(0)
    return [place("emulated").asarray(rng.standard_normal(shape), dtype) for _ in range(2)]


def layer(shape, training, dtype="float32"):
    bn = hand.BatchNorm2d(shape[1], dtype=dtype).to("emulated").train(training)
    per_channel = np.random.default_rng(1).uniform(0.5, 2, (4, shape[1])).astype(dtype)
    keys = "weight", "bias", "running_mean", "running_var"
    return bn.assign(dict(zip(keys, map(place("emulated").asarray, per_channel), strict=True)))


# -- launches -----------------------------------------------------------------------------------


def test_launches_of_batch_norm():
    for shape, training, forward, back in (
        (ONE, True, {"normalise": 1}, {"differentiate": 1}),
        (SEVERAL, True, {"statistics": 1, "normalise": 1}, {"gradients": 1, "differentiate": 1}),
        (ONE, False, {"normalise": 1}, {"differentiate": 1}),
        (SEVERAL, False, {"normalise": 1}, {"differentiate": 1, "add_up": 1}),
    ):
        x, dy = drawn(shape)
        bn = layer(shape, training)
        _, backward = bn(x)
        assert launched(lambda bn=bn, x=x: bn(x)) == forward
        assert launched(lambda backward=backward, dy=dy: backward(dy)) == back


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("training", [True, False])
def test_an_activation_behind_batch_norm_costs_no_launch(activation, training):
    unit = hand.ConvBNAct(2, 5, 1, padding=0, activation=activation, rng=0).to("emulated")
    unit.train(training)
    x, _ = drawn((3, 2, 7, 11))
    y, backward = unit(x)
    _, conv_back = unit.conv(x)
    norm = {"normalise": 1}
    assert launched(lambda: unit(x)) == launched(lambda: unit.conv(x)) | norm
    want = launched(lambda: conv_back(y)) | {"differentiate": 1}
    assert launched(lambda: backward(y)) == want


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_launches_of_an_activation(name):
    x, dy = drawn((2, 3, 5, 7))
    function, options = getattr(hand, name), ACTIVATIONS[name]
    _, backward = function(x, **options)
    assert launched(lambda: function(x, **options)) == {name: 1}
    assert launched(lambda: backward(dy)) == {f"{name}_back": 1}


def test_an_offset_view_is_not_copied():
    x, dy = drawn((4, 5, 7, 11))
    x, dy = x[1:], dy[1:]
    bn = layer(ONE, True)
    _, backward = bn(x)
    assert launched(lambda: bn(x)) == {"normalise": 1}
    assert launched(lambda: backward(dy)) == {"differentiate": 1}


# -- values -------------------------------------------------------------------------------------


def expect_slices_to_keep_the_bound(name, length, dtype, monkeypatch):
    """Each class of values, of which those with a large mean need all of equation (6)."""
    monkeypatch.setattr(slices, "SLICE", length)
    several = []

    def agrees(e):
        expect_agreement(name, e, dtype, place("emulated"))
        several.append(math.prod(e.dy.shape) // e.dy.shape[1] > length)

    for_all(CASES[name].strata(10), agrees, using=GENERATE, seed=length)
    assert sum(several) >= 5


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("length", [1, 3, 7])
@pytest.mark.parametrize("name", ["batch_norm", "batch_norm_eval", "batch_norm_eval_activated"])
def test_slices_of_any_length_keep_the_bound(name, length, dtype, monkeypatch):
    expect_slices_to_keep_the_bound(name, length, dtype, monkeypatch)


def test_the_rounding_of_the_means_of_slices_would_be_seen(monkeypatch):
    right, wrong = "apart * (2 * mine.off + many * apart)", "apart * (many * apart)"
    with planted("batch_norm", right, wrong), pytest.raises(AssertionError):
        expect_slices_to_keep_the_bound("batch_norm", 3, "float32", monkeypatch)


IN_ONE_PASS = {"batch_norm_activated": "batch_norm", "batch_norm_eval_activated": "batch_norm_eval"}


def expect_the_bits_of_one_after_the_other(name, dtype, length, monkeypatch):
    """In one pass, against the normalisation and then the activation, NaN and ties too."""
    monkeypatch.setattr(slices, "SLICE", length)
    where = place("emulated")

    def on_device(value):
        return where.asarray(value, dtype) if isinstance(value, np.ndarray) else value

    def same(e):
        x, w, b, dy = (where.asarray(a, dtype) for a in (*e.inputs.values(), e.dy))
        options = {key: on_device(value) for key, value in e.options.items()}
        activation = options.pop("activation")
        value, backward = getattr(hand, name)(x, w, b, activation=activation, **options)
        apart, norm_back = getattr(hand, IN_ONE_PASS[name])(x, w, b, **options)
        (y, *statistics), (v, *apart) = (
            a if isinstance(a, tuple) else (a,) for a in (value, apart)
        )
        want, act_back = getattr(hand, activation)(v)
        fused = [y, *statistics, *backward(dy)]
        for mine, theirs in zip(fused, [want, *apart, *norm_back(act_back(dy))], strict=True):
            np.testing.assert_array_equal(to_host(mine), to_host(theirs), strict=True)
        met.append(bool((to_host(v) == 0).any()))

    def both(e):
        same(e)
        x = e.inputs["x"].copy()
        x[:1, 0, 0, 0] = math.nan  # at one pixel, where dy is a number
        same(replace(e, inputs={**e.inputs, "x": x}))

    met = []
    for_all(CASES[name].strata(20), both, using=GENERATE, seed=length)
    assert sum(met) >= 1  # at the kink


@pytest.mark.parametrize("length", [3, slices.SLICE])
@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", IN_ONE_PASS)
def test_an_activation_behind_batch_norm_is_to_the_bit_what_it_is_alone(
    name, dtype, length, monkeypatch
):
    expect_the_bits_of_one_after_the_other(name, dtype, length, monkeypatch)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("v > 0 ? dy : slope * dy", "v >= 0 ? dy : slope * dy"),
        ("v > 0 || v != v ? dy", "v >= 0 ? dy"),
        ("return v > 0 || v != v ? dy : real(0);", "return v > 0 ? dy : real(0);"),
        ("v < 0 ? (slope ? slope * v : 0) : v", "v > 0 ? v : (slope ? slope * v : 0)"),
    ],
)
@pytest.mark.parametrize("name", IN_ONE_PASS)
def test_a_wrong_side_of_the_kink_would_be_seen(name, right, wrong, monkeypatch):
    with planted(IN_ONE_PASS[name], right, wrong), pytest.raises(AssertionError):
        expect_the_bits_of_one_after_the_other(name, "float32", 3, monkeypatch)


def expect_each_value_in_its_place(p, length, monkeypatch):
    """2,000 values a channel and some more, in images of p, in slices of this length at least."""
    monkeypatch.setattr(slices, "SLICE", length)
    n, where = 2000 // p + 3, place("emulated")
    x = np.random.default_rng(p).standard_normal((n, 3, 1, p)).astype("f4")
    mean, var = x.mean((0, 2, 3)), np.float32([1, 4, 9])
    w, b = np.ones(3, "f4"), np.zeros(3, "f4")
    given = {k: where.asarray(a) for k, a in {"w": w, "b": b, "mean": mean, "var": var}.items()}
    y, backward = hand.batch_norm_eval(where.asarray(x), **given, eps=0)
    want = (x - mean[:, None, None]) / np.sqrt(var)[:, None, None]
    np.testing.assert_allclose(to_host(y), want, atol=1e-5)
    dx, dw, _ = backward(where.asarray(x))
    np.testing.assert_allclose(to_host(dx), x / np.sqrt(var)[:, None, None], atol=1e-5)
    np.testing.assert_allclose(to_host(dw), (x * want).sum((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("length", [700, slices.SLICE])
@pytest.mark.parametrize("p", [1, 6, 255, 256, 257, 600])
def test_a_thread_finds_its_values_among_images_of_any_size(p, length, monkeypatch):
    """256 values further lie many images, one, or a part of one; slices begin within an image."""
    expect_each_value_in_its_place(p, length, monkeypatch)


@pytest.mark.parametrize(
    ("right", "wrong", "p"),
    [
        ("at += s.stride;", "at += THREADS;", 6),  # as if images had one channel
        ("pixel += s.off;", "pixel += THREADS;", 255),
        ("at += s.gap;", "at += s.p;", 257),
        ("image = first / s.p;", "image = slice;", 600),
    ],
)
def test_a_wrong_step_would_be_seen(right, wrong, p, monkeypatch):
    with planted("batch_norm_eval", right, wrong):
        assert fails(lambda: expect_each_value_in_its_place(p, 700, monkeypatch))


def test_a_channel_has_no_more_slices_than_a_block_has_threads(monkeypatch):
    monkeypatch.setattr(slices, "SLICE", 4)
    for positions in (1, 1000, 1024, 1025, 1279, 100_003):
        x = place("emulated").xp.empty((1, 2, 1, positions))
        cut = Cut("batch_norm", x)
        length = int(cut.shape["length"])
        assert cut.slices <= cuda.THREADS
        assert cut.slices * length >= positions > (cut.slices - 1) * length  # and none is empty


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hard_swish"])
def test_where_nothing_rounds_it_is_the_specification(name, dtype):
    strata = CASES[name].exact_strata(30)
    for_all(strata, lambda e: expect_equal(name, e, dtype, place("emulated")), using=GENERATE)


VALUES = [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 2.5, -2.5, 7.0, -7.0, 40.0, 41.0, -40.0, 89.0, -104.0]
VALUES += [np.nextafter(np.float32(k), np.float32(to)) for k in (3, -3) for to in (9, -9)]
VALUES += [1e30, -1e30, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_value_is_that_of_the_specification_to_the_bit(name, dtype):
    x, dy = map(np.ravel, np.meshgrid(VALUES, VALUES))
    x, dy = (place("emulated").asarray(a, dtype) for a in (x, dy))
    found = []
    for block in (nullcontext(), kernels.specification()):
        with block, np.errstate(all="ignore"):
            y, backward = getattr(hand, name)(x, **ACTIVATIONS[name])
            found.append([to_host(y), to_host(backward(dy))])
    for mine, plain in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, plain, strict=True)
        numbers = ~np.isnan(plain)
        np.testing.assert_array_equal(np.signbit(mine[numbers]), np.signbit(plain[numbers]))


@pytest.mark.parametrize("shape", [ONE, SEVERAL])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_special_value_stays_in_its_channel(value, shape):
    """mean is the infinity, or NaN; what is centred by it is NaN; another channel is untouched."""
    x, dy = drawn(shape)
    clean = results(layer(shape, True), x, dy)
    x[-1, 1, -1, -1] = value
    found = results(layer(shape, True), x, dy)
    assert np.isnan(found["y"][:, 1]).all()
    assert np.isnan(found["dx"][:, 1]).all()
    np.testing.assert_equal(found["running_mean"][1], value)
    for key, a in found.items():
        others = (slice(None), 0) if a.ndim == 4 else 0
        np.testing.assert_array_equal(a[others], clean[key][others], err_msg=key)


def results(bn, x, dy):
    y, backward = bn(x)
    dx, grads = backward(dy)
    kept = {"running_mean": bn.running_mean, "running_var": bn.running_var}
    return {k: to_host(a) for k, a in {"y": y, "dx": dx, **grads, **kept}.items()}


def test_a_long_channel_far_from_zero_keeps_its_variance():
    """Two passes are off by a few u of the variance; E[x²] - mean² by u times 10⁸ of it."""
    rng = np.random.default_rng(0)
    x = (1e4 + rng.standard_normal((2, 1, 64, 512))).astype("f4")
    w = b = place("emulated").asarray(np.ones(1), "float32")
    (_, mean, var), _ = hand.batch_norm(place("emulated").asarray(x), w, b)
    assert abs(float(to_host(mean)[0]) - x.mean(dtype=float)) <= 2**-24 * 1e4 * 16  # a tree's depth
    assert abs(float(to_host(var)[0]) / x.var(dtype=float) - 1) <= 1e-5


@pytest.mark.parametrize("training", [True, False])
def test_an_empty_batch(training):
    xp = place("emulated").xp
    x = xp.empty((0, 3, 4, 5), dtype=xp.float32)
    bn = layer(x.shape, training)
    before = {key: to_host(a) for key, a in bn.buffers().items()}
    found = results(bn, x, x)
    assert found["y"].shape == found["dx"].shape == x.shape
    np.testing.assert_array_equal(found["weight"], np.zeros(3, "f4"), strict=True)
    np.testing.assert_array_equal(found["bias"], np.zeros(3, "f4"), strict=True)
    for key in ("running_mean", "running_var"):
        np.testing.assert_array_equal(found[key], before[key])
    assert int(to_host(bn.num_batches_tracked)) == training
    w = xp.ones(3, dtype=xp.float32)
    (_, mean, var), _ = hand.batch_norm(x, w, w)
    np.testing.assert_array_equal(to_host(mean), np.zeros(3))
    np.testing.assert_array_equal(to_host(var), np.zeros(3))


def test_the_counter_keeps_its_dtype_and_the_old_statistics_their_values():
    bn = layer(ONE, True)
    kept, before = bn.buffers(), {key: to_host(a).copy() for key, a in bn.buffers().items()}
    for _ in range(3):
        bn(drawn(ONE)[0])
    assert to_host(bn.num_batches_tracked).dtype == np.int64
    assert to_host(bn.num_batches_tracked) == 3
    for key, a in kept.items():
        np.testing.assert_array_equal(to_host(a), before[key], err_msg=key)


def of_a_layer(e, dtype, activation, training=True):
    """What a layer gives and keeps, by name."""
    where = place("emulated")
    x, w, b, dy = (where.asarray(a, dtype) for a in (*e.inputs.values(), e.dy))
    bn = layer(x.shape, training, dtype).assign({"weight": w, "bias": b})
    bn.eps, bn.momentum = e.options["eps"], 0.25
    y, backward = activated(bn, x, activation) if activation else bn(x)
    dx, grads = backward(dy)
    return {k: to_host(a) for k, a in {"y": y, "dx": dx, **grads, **bn.buffers()}.items()}


@pytest.mark.parametrize("activation", ["", "relu", "leaky_relu"])
@pytest.mark.parametrize("length", [3, slices.SLICE])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_a_layer_is_its_parts(dtype, training, length, activation, monkeypatch):
    """To the bit, but for running statistics: a product may be fused with the sum behind it."""
    monkeypatch.setattr(slices, "SLICE", length)
    of_layers = "batch_norm_and_keep", "batch_norm_as_kept"
    apart = [row for row in kernels.TABLE if row.function not in of_layers]

    def same(e):
        found = of_a_layer(e, dtype, activation, training)
        with monkeypatch.context() as without:
            without.setattr(kernels, "TABLE", apart)
            parts = of_a_layer(e, dtype, activation, training)
        for key, a in parts.items():
            if not key.startswith("running_"):
                np.testing.assert_array_equal(found[key], a, err_msg=key, strict=True)
                continue
            # p + q = a, on each side rounded at most three times, and |p| < 2: it is of the old one
            numbers = np.isfinite(a)
            mine, theirs = found[key][numbers], a[numbers]
            assert (np.abs(mine - theirs) <= 4 * ROUNDOFF[dtype] * (np.abs(theirs) + 2)).all()
            np.testing.assert_array_equal(found[key][~numbers], a[~numbers])

    for_all(CASES["batch_norm"].strata(8), same, using=GENERATE, seed=length)


@pytest.mark.parametrize(
    ("names", "activation", "training"),
    [
        (["batch_norm"], "", True),
        (["batch_norm", "relu"], "relu", True),
        (["batch_norm_eval", "relu"], "relu", False),
    ],
)
def test_who_watches_a_layer_sees_its_parts(names, activation, training):
    x, _ = drawn(ONE)
    bn = layer(ONE, training)
    with watched(bn) as calls:
        activated(bn, x, activation) if activation else bn(x)
    assert [call.name for call in calls] == names
    assert to_host(bn.num_batches_tracked) == training


def test_another_stream():
    where = place("emulated")
    import cupy

    x, dy = drawn(SEVERAL)
    want = results(layer(SEVERAL, True), x, dy)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream, where.device:
        got = results(layer(SEVERAL, True), x, dy)
        stream.synchronize()
    for key, a in want.items():
        np.testing.assert_array_equal(got[key], a, err_msg=key)


# -- indices beyond 2³¹ -------------------------------------------------------------------------


def expect_the_last_slice_of_three_large_channels():
    """Two kernels see the last slice alone of more than 2³¹ elements.

    The array has memory where it is touched, and nothing else is: the other sums are put there, as
    if the rest were zeros. With one value of 4 among m, mean is 4 / m, var nearly 16 / m, so y is
    nearly √m there.
    """
    from armlab import emulator

    xp = place("emulated").xp
    side = 1 << 15
    x = xp.empty((1, 3, side, side), dtype=xp.float32)
    assert x.size > 1 << 31
    cut = Cut("batch_norm", x)
    length = int(cut.shape["length"])
    last = x.reshape(-1)[-length:]
    last[:] = 0
    last[-1] = 4.0
    sums, y = xp.zeros((cut.blocks, 3), dtype=xp.float32), xp.empty_like(x)
    y.reshape(-1)[-2:] = xp.nan
    w = b = mean = var = xp.ones(3, dtype=xp.float32)
    kept = batch_norm_slices._kept(x, [0] * 6, [0.0] * 3)
    with emulator.only_blocks([cut.blocks - 1]):
        cut.launch("statistics", x, sums)
        cut.launch(
            "normalise", x, w, b, cut.real(0), cut.real(1), sums, y, mean.copy(), var.copy(), kept
        )
    m, (others, last) = side * side, to_host(y.reshape(-1)[-2:])
    np.testing.assert_allclose(
        to_host(sums[-1])[[0, 2]], [4.0, 16.0], rtol=1e-5
    )  # 1 - 1 / length of it
    np.testing.assert_allclose(last, math.sqrt(m) + 1, rtol=1e-5)
    np.testing.assert_allclose(others, 1 - 1 / math.sqrt(m), rtol=1e-5)


def expect_the_last_slice_of_a_large_array_in_evaluation():
    from armlab import emulator

    xp = place("emulated").xp
    x = xp.empty((1, 3, 1 << 15, 1 << 15), dtype=xp.float32)
    y, dx = xp.empty_like(x), xp.empty_like(x)
    one, zero = xp.ones(3, dtype=x.dtype), xp.zeros(3, dtype=x.dtype)
    cut = Cut("batch_norm_eval", x)
    length = int(cut.shape["length"])
    for a in (x, y, dx):
        a.reshape(-1)[-length:] = 3.0
    sums = xp.zeros((cut.blocks, 2), dtype=xp.float32)
    given = x, one, one, zero, one, cut.real(0), cut.real(0)
    with emulator.only_blocks([cut.blocks - 1]):
        cut.launch("normalise", *given, y)  # w = b = 1, mean 0, variance 1: y = x + 1
        cut.launch("differentiate", y, *given, sums, dx, one.copy(), one.copy())
    for found in (y, dx):
        np.testing.assert_array_equal(to_host(found.reshape(-1)[-length:]), np.full(length, 4.0))
    np.testing.assert_array_equal(to_host(sums[-1]), [4.0 * length, 12.0 * length])


def expect_the_last_elements_of_a_large_array():
    from armlab import emulator

    xp = place("emulated").xp
    x = xp.empty((1 << 31) + 256, dtype=xp.float32)
    x[-256:] = -2.0
    y = xp.empty_like(x)
    y[-256:] = xp.nan
    with emulator.only_blocks([x.size // cuda.THREADS - 1]):
        cuda.launch("activations", "relu", x, x.size, x, y, x.size)
    np.testing.assert_array_equal(to_host(y[-256:]), np.zeros(256))


FAR = {  # page: what is tried, an index as it is, and one of 32 bits
    "batch_norm": (
        expect_the_last_slice_of_three_large_channels,
        "at = (image * s.c + channel) * s.p + pixel;",
        "at = int((image * s.c + channel) * s.p + pixel);",
    ),
    "batch_norm_eval": (
        expect_the_last_slice_of_a_large_array_in_evaluation,
        "at = (image * s.c + channel) * s.p + pixel;",
        "at = int((image * s.c + channel) * s.p + pixel);",
    ),
    "activations": (
        expect_the_last_elements_of_a_large_array,
        "return (long long)blockIdx.x * blockDim.x + threadIdx.x;",
        "return int(blockIdx.x * blockDim.x + threadIdx.x);",
    ),
}


@pytest.mark.parametrize("page", FAR)
def test_indices_beyond_2_to_the_31(page):
    FAR[page][0]()


@pytest.mark.parametrize("page", FAR)
def test_indices_of_32_bits_would_be_seen(page):
    expect_right, wide, narrow = FAR[page]
    with planted(page, wide, narrow):
        assert fails(expect_right)


# -- which one runs -----------------------------------------------------------------------------


def test_one_value_per_channel_is_refused_before(monkeypatch):
    monkeypatch.setattr(cuda, "launch_blocks", None)  # nobody calls it
    x, _ = drawn((1, 3, 1, 1))
    w = place("emulated").asarray(np.ones(3), "float32")
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        hand.batch_norm(x, w, w)


@pytest.mark.parametrize("activation", ["", "relu"])
def test_one_value_per_channel_is_normalised_by_what_is_kept(activation):
    x, dy = drawn((1, 3, 1, 1))
    bn = layer(x.shape, False)
    y, backward = activated(bn, x, activation) if activation else bn(x)
    dx, grads = backward(dy)
    a, up = to_host(x), to_host(dy)
    w, b, mean, var = (to_host(v)[None, :, None, None] for v in bn.state_dict().values() if v.ndim)
    r = 1 / np.sqrt(var + 1e-5)
    v = w * (a - mean) * r + b
    dv = up * (v > 0) if activation else up
    np.testing.assert_allclose(to_host(y), np.maximum(v, 0) if activation else v, rtol=1e-5)
    np.testing.assert_allclose(to_host(dx), w * r * dv, rtol=1e-5)
    np.testing.assert_allclose(to_host(grads["weight"]), (dv * (a - mean) * r).ravel(), rtol=1e-5)
    np.testing.assert_allclose(to_host(grads["bias"]), dv.ravel())


def test_the_specification_runs_where_kernels_are_off(monkeypatch):
    x, dy = drawn(ONE)
    fast = results(layer(ONE, True), x, dy)
    monkeypatch.setattr(cuda, "launch_blocks", None)
    with kernels.specification():
        plain = results(layer(ONE, True), x, dy)
        for name, options in ACTIVATIONS.items():
            getattr(hand, name)(x, **options)[1](dy)
    for key, a in plain.items():
        np.testing.assert_allclose(fast[key], a, rtol=1e-4, atol=1e-4, err_msg=key)
