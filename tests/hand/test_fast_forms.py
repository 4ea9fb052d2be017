"""The tricks of the kernels equal what they stand for; what is kept for the backward."""

import numpy as np
import pytest
import torch

from armlab import hand
from armlab.arrays import HOST, to_host
from armlab.check.devices import strict_device, torch_tensors
from armlab.hand.channels import channel_dot, channel_sum, position_dot, position_sum
from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.resize_bands import bands
from armlab.hand.kernels.unbuffered import unbuffered
from armlab.hand.resize import _ones_at, _sources, _tents

NAN, INF = float("nan"), float("inf")
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1.5, -1.5, 1e-40, 3e38]


def everywhere(check):
    """The check at the host, on torch tensors and on the stand-in for a device."""
    check(HOST)
    check(torch_tensors())
    with strict_device() as where:
        check(where)


# -- tricks of the kernels ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keep_where_is_where(dtype):
    x = np.array(SPECIAL, dtype)
    for hidden in (False, True):
        mask = np.resize([hidden, not hidden], x.shape)
        y = keep_where(mask, x)
        np.testing.assert_array_equal(y, np.where(mask, x, 0.0), strict=True)
        np.testing.assert_array_equal(np.signbit(y), np.signbit(np.where(mask, x, 0.0)))


def test_keep_where_repeats_its_values():
    x, mask = np.array([[2.0], [NAN]], "f4"), np.array([[False, True, True], [False, False, True]])
    y = keep_where(mask, x)
    np.testing.assert_array_equal(y, np.float32([[0, 2, 2], [0, 0, NAN]]), strict=True)


def test_the_buffer_of_numpy_is_put_back():
    before = np.getbufsize()
    with unbuffered():
        assert np.getbufsize() < before
    with pytest.raises(ZeroDivisionError), unbuffered():
        1 / 0  # noqa: B018
    assert np.getbufsize() == before


# -- sums -------------------------------------------------------------------------------------


def test_sums_and_dots_are_over_the_axes_that_they_name():
    rng = np.random.default_rng(0)
    x, y = rng.integers(-8, 9, (2, 3, 4, 5)) * 1.0, rng.integers(-8, 9, (2, 3, 4, 5)) * 1.0

    def check(where):
        a, b = where.asarray(x), where.asarray(y)
        for got, want in (
            (position_sum(a), x.sum(axis=(2, 3), keepdims=True)),
            (position_dot(a, b), (x * y).sum(axis=(2, 3), keepdims=True)),
            (channel_sum(a), x.sum(axis=(0, 2, 3))),
            (channel_dot(a, b), (x * y).sum(axis=(0, 2, 3))),
        ):
            np.testing.assert_array_equal(to_host(got), want, strict=True)

    everywhere(check)


# -- what is left out -------------------------------------------------------------------------


def test_bands_of_a_resizing_leave_out_zeros_alone():
    x = np.zeros((1, 1, 1, 1))
    sizes = [1, 2, 3, 5, 31, 32, 33, 64, 65, 97, 360]
    for out in sizes:
        for size in sizes:
            ones = _ones_at(x, _sources(x, out, size), size)
            tents, aligned = _tents(x, out, size, False), _tents(x, out, size, True)
            for a in (tents, tents.T, aligned, aligned.T, ones, ones.T):
                kept = np.zeros_like(a)
                for rows, columns in bands(a):
                    kept[rows, columns] = a[rows, columns]
                np.testing.assert_array_equal(kept, a)


def test_bands_of_a_large_resizing_are_narrow():
    for align_corners in (False, True):
        matrix = _tents(np.zeros((1, 1, 1, 1)), 640, 320, align_corners)
        area = sum(
            (rows.stop - rows.start) * (columns.stop - columns.start)
            for rows, columns in bands(matrix)
        )
        assert area < 640 * 320 / 12


def test_a_nan_stays_where_nearest_puts_it():
    x = np.array([[1.0, NAN], [2.0, 3.0]]).reshape(1, 1, 2, 2)
    y, _ = hand.resize_nearest(x, size=(2, 4))
    np.testing.assert_array_equal(y[0, 0], [[1, 1, NAN, NAN], [2, 2, 3, 3]])


@pytest.mark.usefixtures("fast_and_plain")
def test_a_tap_that_meets_no_pixel_is_passed_by():
    """One pixel and windows of seven: all taps but one are padding."""
    x = np.float32(-3).reshape(1, 1, 1, 1)
    y, backward = hand.max_pool2d(x, kernel_size=7, padding=3)
    assert y == -3
    assert backward(np.float32(5).reshape(1, 1, 1, 1)) == 5


@pytest.mark.usefixtures("fast_and_plain")
def test_a_nan_at_an_ignored_pixel_does_not_count():
    a = np.array([[1.0, NAN], [2.0, 3.0]], "f4").reshape(1, 2, 1, 2)
    weight = np.array([2.0, 3.0], "f4")
    for weights in (None, weight):
        loss, backward = hand.cross_entropy(a, np.array([[[1, 255]]]), weight=weights)
        np.testing.assert_allclose(loss, np.log(1 + np.exp(-1)), rtol=1e-6)
        p = 1 / (1 + np.exp(-1))
        da = backward(1.0)[0, :, 0, 0]
        np.testing.assert_allclose(da, [1 - p, p - 1], rtol=1e-6)
        assert (backward(1.0)[0, :, 0, 1] == 0).all()


@pytest.mark.usefixtures("fast_and_plain")
def test_a_nan_at_a_pixel_of_weight_0_does_not_count():
    a = np.array([[1.0, NAN], [2.0, 3.0]], "f4").reshape(1, 2, 1, 2)
    loss, backward = hand.cross_entropy(a, np.array([[[1, 0]]]), weight=np.array([0, 3], "f4"))
    np.testing.assert_allclose(loss, np.log(1 + np.exp(-1)), rtol=1e-6)
    assert (backward(1.0)[0, :, 0, 1] == 0).all()


@pytest.mark.usefixtures("fast_and_plain")
def test_labels_beyond_the_range_of_small_integers():
    """An ignore_index of any size stays what it is."""
    a = np.array([[1.0, 5.0], [1.0, 3.0]]).reshape(1, 2, 1, 2)
    ignore = 2**40
    loss, _ = hand.cross_entropy(a, np.array([[[1, ignore]]]), ignore_index=ignore)
    np.testing.assert_allclose(loss, np.log(2))


# -- what is kept for the backward -------------------------------------------------------------


def kept(backward, size):
    """The arrays of at least this many elements that a backward holds, itself or further down."""
    found, waiting = [], [backward]
    while waiting:
        for cell in waiting.pop().__closure__ or ():
            value = cell.cell_contents
            if isinstance(value, np.ndarray) and value.size >= size:
                found.append(value)
            elif callable(value) and hasattr(value, "__closure__"):
                waiting.append(value)
    return list({id(a): a for a in found}.values())


X = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype("f4")
V = np.ones(3, "f4")
KEEPS_X = {
    "batch_norm": lambda: hand.batch_norm(X, V, V),
    "batch_norm_eval": lambda: hand.batch_norm_eval(X, V, V, mean=V, var=V),
    "sigmoid_gate": lambda: hand.sigmoid_gate(X, X[:, :, :1, :1]),
    "hard_swish": lambda: hand.hard_swish(X),
    "channel_max": lambda: hand.channel_max(X),
    "global_max_pool": lambda: hand.global_max_pool(X),
}
KEEPS_Y = {"relu": hand.relu, "leaky_relu": hand.leaky_relu, "sigmoid": hand.sigmoid}
KEEPS_NOTHING = {
    "global_avg_pool": hand.global_avg_pool,
    "channel_mean": hand.channel_mean,
    "strip_mean": lambda x: hand.strip_mean(x, axis=3),
    "resize_bilinear": lambda x: hand.resize_bilinear(x, size=(12, 12)),
    "resize_nearest": lambda x: hand.resize_nearest(x, size=(12, 12)),
    "corners aligned": lambda x: hand.resize_bilinear(x, size=(12, 12), align_corners=True),
    "concat_channels": lambda x: hand.concat_channels(x, x),
}


@pytest.mark.usefixtures("fast_and_plain")
@pytest.mark.parametrize("name", KEEPS_X)
def test_nothing_large_is_kept_but_x(name):
    _, backward = KEEPS_X[name]()
    assert all(a is X for a in kept(backward, X.size))


@pytest.mark.usefixtures("fast_and_plain")
@pytest.mark.parametrize("name", KEEPS_Y)
def test_nothing_is_kept_but_y(name):
    y, backward = KEEPS_Y[name](X)
    assert [a is y for a in kept(backward, X.size)] == [True]


@pytest.mark.usefixtures("fast_and_plain")
@pytest.mark.parametrize("name", KEEPS_NOTHING)
def test_nothing_large_is_kept(name):
    _, backward = KEEPS_NOTHING[name](X)
    assert kept(backward, X.size) == []


# -- sigmoid ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("fast_and_plain")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_is_one_where_its_logit_is_stopped(dtype):
    """Without an overflow, and with all digits of the smallest gates."""
    a = np.array([-700.0, -80.0, -1.0, 38.0, 39.9, 40.0, 41.0, 1e4, INF], dtype)
    with np.errstate(over="raise", invalid="raise"):
        s, backward = hand.sigmoid(a)
        slopes = backward(np.ones_like(a))
    assert (s[3:] == 1).all()
    assert (slopes[3:] == 0).all()
    want = torch.sigmoid(torch.tensor(a[:3], dtype=torch.float64)).numpy()
    np.testing.assert_allclose(s[:3], want, rtol=4e-7 if dtype == "float32" else 1e-15, atol=1e-45)
