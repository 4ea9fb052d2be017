"""Fast convolutions equal their specification, and the table chooses them where they fit."""

import sys

import numpy as np
import pytest

from armlab import hand
from armlab.check.cases import CASES
from armlab.check.cases.conv2d import bound, window_of
from armlab.check.devices import torch_tensors
from armlab.check.functions import ROUNDOFF
from armlab.check.sides import run_torch
from armlab.check.strata import for_all
from armlab.hand import kernels
from armlab.hand.kernels import (
    conv2d_columns,
    conv2d_pointwise,
    conv2d_rows,
    conv2d_winograd,
    parts,
)
from armlab.hand.kernels.blocks import blocks
from armlab.hand.kernels.kernel import Kernel
from armlab.hand.window import Window, overlap
from armlab.places import HOST

taps = sys.modules[hand.conv2d.__module__].conv2d_by_taps
EXACT = {"rows": conv2d_rows, "columns": conv2d_columns, "pointwise": conv2d_pointwise}
KERNELS = EXACT | {"winograd": conv2d_winograd}


def can(kernel, window, groups):
    """Whether this kernel can do it at all, be it worth it or not: from 64 channels to 64 it is."""
    many = np.empty((64, 64, *window.kernel))
    return kernel is conv2d_columns or kernel.fits(None, many, window, groups)


def numbers(examples):
    """Examples without NaN and infinities, which test_table.py holds each row to."""
    return [s for s in CASES["conv2d"].strata(examples) if s.name != "special"]


def run(convolve, e, dtype, input_grad=True):
    x, w, dy = (a.astype(dtype) for a in (e.inputs["x"], e.inputs["w"], e.dy))
    y, backward = convolve(x, w, window_of(e), e.options["groups"])
    dx, dw = backward(dy, input_grad)
    return {"y": y, "dx": dx, "dw": dw}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXACT)
def test_integers_come_out_as_from_the_specification(name, dtype):
    def equal(e):
        if can(EXACT[name], window_of(e), e.options["groups"]):
            fast, plain = run(EXACT[name].conv2d, e, dtype), run(taps, e, dtype)
            for key, value in plain.items():
                np.testing.assert_array_equal(fast[key], value, strict=True)
            met.append(e)

    met = []
    for_all(CASES["conv2d"].exact_strata(100), equal)
    assert len(met) >= 10


@pytest.mark.parametrize("name", [*KERNELS, "taps"])
def test_each_keeps_the_bound_of_convolution(name, monkeypatch):
    kernel = KERNELS.get(name)
    # so that the bound is this kernel's, in every shape that it can do
    alone = [Kernel("conv2d", lambda xp: True, kernel.conv2d)] if kernel else []
    monkeypatch.setattr(kernels, "TABLE", alone)

    def holds(e):
        if kernel and not can(kernel, window_of(e), e.options["groups"]):
            return
        exact = run_torch("conv2d", e, "float64")
        limits = bound(e, exact, ROUNDOFF["float32"])
        b = e.inputs["b"]
        if b is not None:
            exact["y"] = exact["y"] - b.reshape(1, -1, 1, 1)
        for key, value in run(kernel.conv2d if kernel else taps, e, "float32").items():
            assert (np.abs(value - exact[key]) <= limits[key]).all(), key
        met.append(e)

    met = []
    for_all(numbers(100), holds)
    assert len(met) >= 10


@pytest.mark.parametrize("name", [*KERNELS, "taps"])
def test_without_the_gradient_of_the_input_the_rest_is_the_same(name):
    kernel = KERNELS.get(name)

    def same(e):
        if kernel and not can(kernel, window_of(e), e.options["groups"]):
            return
        convolve = kernel.conv2d if kernel else taps
        spared, whole = run(convolve, e, "float32", False), run(convolve, e, "float32")
        assert spared["dx"] is None
        np.testing.assert_array_equal(spared["dw"], whole["dw"])

    for_all(numbers(30), same)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", EXACT)
def test_integers_come_out_alike_from_several_workers(name, count, monkeypatch):
    monkeypatch.setattr(parts, "FEW", 0)

    def equal(e):
        if can(EXACT[name], window_of(e), e.options["groups"]):
            alone = run(EXACT[name].conv2d, e, "float32")
            with parts.workers(count):
                shared = run(EXACT[name].conv2d, e, "float32")
            for key, value in alone.items():
                np.testing.assert_array_equal(shared[key], value, strict=True)

    for_all(CASES["conv2d"].exact_strata(30), equal)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", KERNELS)
def test_several_workers_keep_the_bound_of_convolution(name, count, monkeypatch):
    monkeypatch.setattr(parts, "FEW", 0)
    with parts.workers(count):
        test_each_keeps_the_bound_of_convolution(name, monkeypatch)


def chosen(c, k, window, groups=1, where=HOST):
    x = where.asarray(np.zeros((1, c, 9, 9)))
    w = where.asarray(np.zeros((k, c // groups, *window.kernel)))
    return kernels.choose("conv2d", x, w, window, groups)


def test_the_table_chooses_by_shape():
    assert chosen(64, 64, Window.of(1)) is conv2d_pointwise.conv2d
    assert chosen(64, 64, Window.of(1, 2)) is conv2d_pointwise.conv2d
    assert chosen(64, 64, Window.of(3, 1, 1)) is conv2d_winograd.conv2d
    assert chosen(64, 64, Window.of(3, 2, 1)) is conv2d_columns.conv2d
    assert chosen(64, 64, Window.of(3, 1, 1), groups=4) is conv2d_columns.conv2d
    assert chosen(64, 64, Window.of(3, 1, 2, 2)) is conv2d_rows.conv2d
    assert chosen(2, 1, Window.of(7, 1, 3)) is conv2d_rows.conv2d
    assert chosen(3, 32, Window.of(3, 1, 1)) is conv2d_columns.conv2d  # a stem
    assert chosen(64, 64, Window.of(3, 1, 1), where=torch_tensors()) is None


def test_convolution_runs_what_the_table_chooses():
    """To the last bit: the kernels add up in different orders."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 16, 12, 11)), rng.standard_normal((9, 16, 3, 3))
    y, _ = hand.conv2d(x, w, padding=1)
    by_winograd, _ = conv2d_winograd.conv2d(x, w, Window.of(3, 1, 1), 1)
    by_columns, _ = conv2d_columns.conv2d(x, w, Window.of(3, 1, 1), 1)
    np.testing.assert_array_equal(y, by_winograd)
    assert (y != by_columns).any()


def test_a_window_is_square_steps_by_one_and_stays_inside_unless_told():
    assert Window.of(3) == Window((3, 3), (1, 1), (0, 0), (1, 1))
    window = Window.of(np.int64(3), [2, np.int32(1)])
    assert window == Window((3, 3), (2, 1), (0, 0), (1, 1))
    assert all(type(n) is int for n in (*window.kernel, *window.stride))


@pytest.mark.parametrize("missing", range(4))
def test_without_a_row_the_others_give_the_same(missing, monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-8, 9, (2, 3, 6, 5)) * 1.0, rng.integers(-8, 9, (4, 3, 3, 3)) * 1.0
    dy = rng.integers(-8, 9, (2, 4, 6, 5)) * 1.0
    fast, fast_back = hand.conv2d(x, w, padding=1)
    rows = [row for row in kernels.TABLE if row.function == "conv2d"]
    monkeypatch.setattr(kernels, "TABLE", rows[missing + 1 :])
    plain, plain_back = hand.conv2d(x, w, padding=1)
    np.testing.assert_array_equal(fast, plain)
    for a, b in zip(fast_back(dy)[:2], plain_back(dy)[:2], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_matrices_of_winograd_multiply_polynomials(dtype):
    a, g, b = conv2d_winograd.matrices(np.dtype(dtype))
    assert a.dtype == g.dtype == b.dtype == dtype
    rng = np.random.default_rng(0)
    kernel, rows = rng.standard_normal(3), rng.standard_normal(6)
    y = a @ ((g @ kernel) * (b @ rows))
    direct = [sum(kernel[r] * rows[i + r] for r in range(3)) for i in range(4)]
    # as a sum of 18 rounded terms in y: 6 from each matrix
    size = np.abs(a) @ ((np.abs(g) @ np.abs(kernel)) * (np.abs(b) @ np.abs(rows)))
    assert (np.abs(y - direct) <= 18 * ROUNDOFF[dtype] * size).all()


def growth(points, monkeypatch):
    monkeypatch.setattr(conv2d_winograd, "POINTS", points)
    conv2d_winograd.matrices.cache_clear()
    a, g, b = map(np.abs, conv2d_winograd.matrices(np.dtype("float64")))
    conv2d_winograd.matrices.cache_clear()
    return (a @ (g.sum(axis=1) * b.sum(axis=1))).max() / 3


def test_the_points_of_winograd_grow_less_than_half_of_the_usual_ones(monkeypatch):
    ours = growth(conv2d_winograd.POINTS, monkeypatch)
    assert 7.7 < ours < 7.8
    assert 15.9 < growth((0.0, 1.0, -1.0, 2.0, -2.0), monkeypatch) < 16.1


def assert_equals_columns(kernel, window, x, w, dtype):
    """Another way to the same sums: in float64 within 2⁻³⁰, where rounding makes some 2⁻⁴⁰."""
    dy = np.random.default_rng(1).standard_normal((len(x), len(w), x.shape[2], x.shape[3]))
    results = []
    for convolve in (kernel.conv2d, conv2d_columns.conv2d):
        y, backward = convolve(x.astype(dtype), w.astype(dtype), window, 1)
        results.append((y, *backward(dy.astype(dtype), True)))
    for mine, other in zip(*results, strict=True):
        assert mine.dtype == other.dtype == dtype
        if dtype == "float64":
            assert np.abs(mine - other).max() <= 2**-30 * np.abs(other).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("width", "dilation"), [(1, 1), (2, 2), (3, 1), (3, 2), (4, 2), (5, 1), (5, 3)]
)
@pytest.mark.parametrize("kernel", [conv2d_winograd, conv2d_rows])
def test_kernels_of_any_width_that_keep_the_size(kernel, width, dilation, dtype):
    window = Window.of((3, width), 1, (1, dilation * (width - 1) // 2), (1, dilation))
    assert can(kernel, window, 1)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 5, 9, 11)), rng.standard_normal((4, 5, 3, width))
    assert_equals_columns(kernel, window, x, w, dtype)


@pytest.mark.parametrize("columns", [1, 40, 90])
def test_bands_of_a_tall_map_fit_together(columns, monkeypatch):
    monkeypatch.setattr(conv2d_winograd, "NARROWEST", columns)
    monkeypatch.setattr(conv2d_winograd, "BLOCK", 1)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4, 37, 10)), rng.standard_normal((6, 4, 3, 3))
    assert_equals_columns(conv2d_winograd, Window.of(3, 1, 1), x, w, "float64")


def test_a_nan_stays_in_its_tile():
    x, w = np.zeros((1, 8, 16, 5)), np.ones((8, 8, 3, 3))
    x[0, 3, 6, 2] = np.nan
    y, _ = conv2d_winograd.conv2d(x, w, Window.of(3, 1, 1))
    assert set(np.argwhere(np.isnan(y[0, 0]))[:, 0]) == {4, 5, 6, 7}


@pytest.mark.parametrize("name", ["columns", "rows", "winograd", "taps"])
def test_a_kernel_larger_than_the_image_is_named(name):
    convolve = KERNELS[name].conv2d if name in KERNELS else taps
    x, window = np.zeros((1, 2, 2, 4)), Window.of(3, padding=(0, 1))
    with pytest.raises(ValueError, match="conv2d kernel spans 3×3 pixels"):
        convolve(x, np.zeros((2, 2, *window.kernel)), window, 1)


def test_blocks_cover_every_row_of_every_image_once():
    for images, rows, width, columns in (
        (5, 7, 4, 60),
        (5, 7, 4, 8),
        (2, 3, 100, 10),
        (0, 3, 4, 9),
    ):
        met = np.zeros((images, rows), int)
        for several, band in blocks(images, rows, width, columns):
            met[several, band] += 1
            assert met[several, band].size * width <= max(columns, width)
        assert (met == 1).all()


@pytest.mark.parametrize("first", [-9, -4, -1, 0, 2, 7, 20])
@pytest.mark.parametrize("step", [1, 3])
def test_overlap_is_what_lies_inside(first, step):
    for count in range(5):
        met, places = overlap(first, count, 8, step)
        want = [i for i in range(count) if 0 <= first + step * i < 8]
        assert list(range(count))[met] == want
        assert list(range(8))[places] == [first + step * i for i in want]


@pytest.mark.parametrize(("padding", "dilation"), [((0, 3), (1, 3)), ((1, 1), (1, 1))])
@pytest.mark.parametrize("kernel", [conv2d_rows, conv2d_winograd])
def test_an_infinity_does_not_reach_the_taps_that_meet_padding_alone(kernel, padding, dilation):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 9, 3, 2)), rng.standard_normal((10, 9, 3, 3))
    x = x if padding[0] == 0 else x[:, :, :1]
    window = Window.of((3, 3), 1, padding, dilation)
    assert can(kernel, window, 1)
    y, plain_back = taps(x, w, window, 1)
    dy = rng.standard_normal(y.shape)
    unmet = plain_back(dy, False)[1] == 0.0
    assert unmet.any()
    x[:, 4] = np.inf
    with np.errstate(invalid="ignore"):
        _, plain_back = taps(x, w, window, 1)
        _, backward = kernel.conv2d(x, w, window)
        for dw in (plain_back(dy, False)[1], backward(dy, False)[1]):
            np.testing.assert_array_equal(dw[unmet], 0.0)
            assert np.isfinite(dw[:, :4]).all()


def test_an_infinity_in_w_does_not_reach_the_columns_that_no_tap_meets():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((4, 3, 2, 2))
    window = Window.of((2, 2), 1, (0, 0), (1, 4))  # columns 0 and 4 are met, 1 to 3 are not
    assert can(conv2d_rows, window, 1)
    w[2] = np.inf
    y, plain_back = taps(x, w, window, 1)
    dy = rng.standard_normal(y.shape)
    with np.errstate(invalid="ignore"):
        for dx in (plain_back(dy, True)[0], conv2d_rows.conv2d(x, w, window)[1](dy, True)[0]):
            np.testing.assert_array_equal(dx[..., 1:4], 0.0)
