"""Ties, kinks and values that are not numbers: the conventions, and that torch has the same."""

import numpy as np
import pytest
import torch

import armlab.torch as twins
from armlab import hand
from armlab.arrays import to_host
from armlab.check.devices import strict_device
from armlab.hand.backward import fill_unused
from armlab.hand.kernels.max_pool2d_rows_columns import max_along
from armlab.hand.window import Window

pytestmark = pytest.mark.usefixtures("fast_and_plain")

NAN, INF = float("nan"), float("inf")


def sides(name, x, dy, **options):
    """y and dx by hand and by torch, for a function of one input."""
    x, dy = np.asarray(x, "f4"), np.asarray(dy, "f4")
    with np.errstate(invalid="ignore", over="ignore"):
        y, backward = getattr(hand, name)(x, **options)
        dx = backward(dy)
    t = torch.tensor(x, requires_grad=True)
    ty = getattr(twins, name)(t, **options)
    (tdx,) = torch.autograd.grad(ty, t, torch.tensor(dy))
    return y, dx, ty.detach().numpy(), tdx.numpy()


def assert_same_bits(name, x, dy, **options):
    y, dx, ty, tdx = sides(name, x, dy, **options)
    np.testing.assert_array_equal(y, ty)
    np.testing.assert_array_equal(dx, tdx)
    return y, dx


SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1e-30, 3e38]


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_activations_at_special_values(name):
    x, dy = (a.ravel() for a in np.meshgrid(SPECIAL, [2.0, INF, NAN, -3.0]))
    if name == "relu":  # the sign of a zero is nobody's convention, so compare values
        assert_same_bits(name, x, dy)
    else:
        assert_same_bits(name, x, dy, slope=0.25)


def test_relu_at_the_kink_has_gradient_zero():
    assert sides("relu", [0.0, -0.0], [5.0, 5.0])[1].tolist() == [0.0, 0.0]


def test_leaky_relu_at_the_kink_has_gradient_slope():
    assert sides("leaky_relu", [0.0, -0.0], [4.0, 4.0], slope=0.25)[1].tolist() == [1.0, 1.0]


def test_hard_swish_at_the_kinks_has_the_slope_of_the_outer_side():
    x = [-3.0, 3.0] * 5  # torch has a vectorised and a scalar path: long enough for both
    _, dx = assert_same_bits("hard_swish", x, [5.0] * 10)
    assert dx.tolist() == [0.0, 5.0] * 5


def test_hard_swish_beside_the_kinks_has_the_slope_of_the_parabola():
    x = np.nextafter(np.array([-3.0, 3.0], "f4"), np.float32(0.0))
    _, dx, _, tdx = sides("hard_swish", x, [4.0, 4.0])
    np.testing.assert_allclose(dx, [-2.0, 6.0], rtol=1e-6)
    np.testing.assert_allclose(tdx, [-2.0, 6.0], rtol=1e-6)


def test_hard_swish_far_out():
    x = [INF, -4.0, -1e30, 2.0**100, 0.0, -0.0]
    for dy in (2.0, INF, -3.0):
        assert_same_bits("hard_swish", x, [dy] * 6)
    y, dx, ty, _ = sides("hard_swish", [NAN, -INF, 3e38], [2.0] * 3)
    np.testing.assert_array_equal(y, np.float32([NAN, NAN, 3e38]))  # torch: 6 * 3e38 overflows
    np.testing.assert_array_equal(dx, [NAN, 0.0, 2.0])  # torch at NaN: NaN or 2, by the path
    np.testing.assert_array_equal(ty[:2], [NAN, NAN])


def test_an_infinite_gradient_stops_where_relu_is_flat():
    assert sides("relu", [-1.0], [INF])[1].tolist() == [0.0]


def test_sigmoid_far_out():
    a = np.array([NAN, INF, -INF, 88.0, -88.0, 104.0, -104.0, 1e30, -1e30], "f4")
    s, back = hand.sigmoid(a)
    want = torch.sigmoid(torch.tensor(a)).numpy()
    np.testing.assert_allclose(s, want, rtol=4e-7, atol=2.0**-126)
    assert back(np.full_like(a, 3.0))[1:3].tolist() == [0, 0]


def test_channel_max_sends_a_tie_to_the_first_channel():
    x = np.array([1.0, 3.0, 3.0, 2.0]).reshape(1, 4, 1, 1)
    _, dx = assert_same_bits("channel_max", x, [[[[7.0]]]])
    assert dx.ravel().tolist() == [0, 7, 0, 0]


def test_channel_max_of_nan():
    x = np.array([1.0, NAN, 9.0, NAN]).reshape(1, 4, 1, 1)
    _, dx = assert_same_bits("channel_max", x, [[[[7.0]]]])
    assert dx.ravel().tolist() == [0, 7, 0, 0]


def test_global_max_sends_a_tie_to_the_first_position():
    x = np.array([[1.0, 3.0], [3.0, 2.0]]).reshape(1, 1, 2, 2)
    _, dx = assert_same_bits("global_max_pool", x, [[[[7.0]]]])
    assert dx.ravel().tolist() == [0, 7, 0, 0]


def test_global_max_of_nan():
    x = np.array([[1.0, NAN], [9.0, NAN]]).reshape(1, 1, 2, 2)
    _, dx = assert_same_bits("global_max_pool", x, [[[[7.0]]]])
    assert dx.ravel().tolist() == [0, 7, 0, 0]


POOLED = {
    "ties": [[2, 2, 1, 0], [2, 2, 0, 1], [5, 5, 5, 5], [1, 5, 5, 5]],
    "all equal": np.zeros((4, 4)),
    "NaN": [[NAN, 1, 2, NAN], [3, NAN, NAN, 4], [0, 0, NAN, 0], [1, 2, 3, 4]],
    "minus infinity": np.full((4, 4), -INF),
    "infinities": [[INF, INF, -INF, 0], [-INF, -INF, 0, INF], [1, INF, INF, 2], [0, 0, -INF, 0]],
    "signed zeros": [[-0.0, 0.0, -0.0, 0.0]] * 4,
}


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(2, 2, 0), (3, 1, 1), (2, 1, 1), ((3, 2), (2, 1), (1, 0))]
)
def test_max_pool_at_ties_and_special_values(kind, kernel, stride, padding):
    x = np.asarray(POOLED[kind], "f4").reshape(1, 1, 4, 4)
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    shape = hand.max_pool2d(x, **options)[0].shape
    dy = np.random.default_rng(0).integers(1, 9, shape)
    assert_same_bits("max_pool2d", x, dy, **options)


def test_batch_norm_of_an_offset_does_not_cancel():
    """E[x²] - mean² would be off by hundreds here; the two-pass form is not."""
    rng = np.random.default_rng(0)
    x = (1e4 + rng.standard_normal((4, 2, 8, 8))).astype("f4")
    (y, _, var), _ = hand.batch_norm(x, np.ones(2, "f4"), np.zeros(2, "f4"))
    exact = x.astype("f8")
    want = (exact - exact.mean((0, 2, 3), keepdims=True)) / np.sqrt(
        exact.var((0, 2, 3), keepdims=True) + 1e-5
    )
    assert np.abs(y - want).max() < 0.01
    assert np.abs(var - exact.var((0, 2, 3))).max() < 0.01


def test_simam_of_a_constant_channel_is_one_half():
    """d = 0 exactly: every logit is 1/2, and by (6) no gradient passes."""
    x = np.full((2, 3, 4, 2), 7.0)
    dy = np.random.default_rng(0).integers(1, 9, x.shape)
    a, da = assert_same_bits("simam_logits", x, dy)
    assert (a == 0.5).all()
    assert (da == 0).all()


def test_simam_of_an_offset_does_not_cancel():
    """E[x²] - mean² would be negative or too large by hundreds here."""
    x = (1e4 + np.random.default_rng(0).standard_normal((2, 3, 8, 8))).astype("f4")
    a, _ = hand.simam_logits(x)
    exact, _ = hand.simam_logits(x.astype("f8"))
    assert np.abs(a - exact).max() < 0.01


@pytest.mark.parametrize("size", [2, 3, 5, 7, 41, 64])
@pytest.mark.parametrize("out", [1, 2, 9, 82, 94, 123])
def test_nearest_takes_the_floor_of_exact_integers(size, out):
    x = np.arange(size, dtype="f4").reshape(1, 1, size, 1)
    y, _ = hand.resize_nearest(x, size=(out, 1))
    want = [i * size // out for i in range(out)]
    assert y.ravel().tolist() == want
    assert twins.resize_nearest(torch.tensor(x), size=(out, 1)).ravel().tolist() == want


@pytest.mark.parametrize(
    ("out", "want"),
    [
        (1, [0]),  # the first pixel alone, as in torch
        (2, [0, 6]),
        (3, [0, 3, 6]),
        (5, [0, 1.5, 3, 4.5, 6]),
        (7, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_aligned_corners_stay_corners(out, want):
    """Three pixels 0, 3, 6; by hand, i (H - 1) / (OH - 1) of the way."""
    x = np.array([0.0, 3.0, 6.0]).reshape(1, 1, 3, 1)
    y, backward = hand.resize_bilinear(x, size=(out, 4), align_corners=True)
    np.testing.assert_allclose(y, np.tile(np.reshape(want, (1, 1, out, 1)), 4), rtol=1e-15)
    one, _ = hand.resize_bilinear(x[:, :, :1], size=(out, 4), align_corners=True)
    assert not one.any()  # one pixel is every pixel
    dy = np.random.default_rng(0).standard_normal(y.shape)
    rows = dy.sum(axis=3).ravel()  # the one column is all four
    shares = [[max(0, 1 - abs(p / 3 - h)) for p in want] for h in range(3)]
    np.testing.assert_allclose(backward(dy).ravel(), shares @ rows, atol=1e-13)


def test_batch_of_two_hardly_sees_magnitude():
    """BN of two values gives ± d / sqrt(d² + eps), d half their difference (facts of ARM)."""
    for scale in (1.0, 10.0, 1000.0):
        x = np.array([3.0, 5.0]).reshape(2, 1, 1, 1) * scale
        (y, _, _), _ = hand.batch_norm(x, np.ones(1), np.zeros(1))
        d = scale
        np.testing.assert_allclose(
            y.ravel(), [-d / np.sqrt(d * d + 1e-5), d / np.sqrt(d * d + 1e-5)]
        )


def test_cross_entropy_survives_large_logits():
    a = np.array([1000.0, 0.0, -1000.0], "f4").reshape(1, 3, 1, 1)
    loss, backward = hand.cross_entropy(a, np.array([[[1]]]))
    assert loss == 1000.0
    assert backward(1.0).ravel().tolist() == [1.0, -1.0, 0.0]


def test_labels_that_are_on_a_device_are_taken_as_they_are():
    """To check them would wait for the device, which the stand-in refuses."""
    rng = np.random.default_rng(0)
    a, labels = rng.standard_normal((2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5))
    want, _ = hand.cross_entropy(a, labels)
    with strict_device() as where:
        loss, _ = hand.cross_entropy(where.asarray(a), where.asarray(labels))
    np.testing.assert_allclose(to_host(loss), want, rtol=1e-12)


def test_zeros_stand_where_an_output_was_not_used():
    d = np.ones((2, 3), "f4")
    shapes = ((4, 1), (2, 3), (5,))
    zeros, given, last = fill_unused((None, d, None), shapes)
    assert given is d
    for filled, shape in ((zeros, (4, 1)), (last, (5,))):
        assert filled.shape == shape
        assert filled.dtype == np.float32
        assert not filled.any()
    with strict_device() as where:
        there, _ = fill_unused((None, where.asarray(d)), ((4, 1), (2, 3)))
        assert there.device == where.device
    with pytest.raises(ValueError, match=r"expected 3 gradients, .* got 3, 3 of them None"):
        fill_unused((None, None, None), shapes)
    with pytest.raises(ValueError, match=r"expected 3 gradients, .* got 2, 0 of them None"):
        fill_unused((d, d), shapes)


@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (1, 1, 3, 1), (1, 1, 1, 3)])
def test_running_statistics_take_a_share_of_the_unbiased_ones(shape):
    bn = hand.BatchNorm2d(1, momentum=0.25, dtype="float64")
    kept = {"weight": [1.0], "bias": [0.0], "running_mean": [2.0], "running_var": [3.0]}
    state = {key: np.array(value) for key, value in kept.items()}
    bn.load_state_dict(state | {"num_batches_tracked": np.array(7)})
    bn(np.array([1.0, 4.0, 7.0]).reshape(shape))  # mean 4; variance 6, unbiased 9
    assert bn.running_mean == 0.75 * 2 + 0.25 * 4
    assert bn.running_var == 0.75 * 3 + 0.25 * 9
    assert bn.num_batches_tracked == 8


@pytest.mark.parametrize("axis", [2, 3])
def test_one_row_of_maxima_sends_its_gradients_to_the_pixels_that_won(axis):
    x = np.moveaxis(np.array([[[[1.0, 3.0, 2.0, 2.0]]]]), 3, axis)
    out = (3, 1) if axis == 2 else (1, 3)
    y, backward = max_along(axis, x, Window.of(2, 1), out)
    np.testing.assert_array_equal(y.ravel(), [3.0, 3.0, 2.0])
    np.testing.assert_array_equal(backward(np.full(y.shape, 5.0)).ravel(), [0.0, 10.0, 5.0, 0.0])
