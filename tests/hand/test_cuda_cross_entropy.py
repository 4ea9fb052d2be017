"""Cross-entropy on CuPy: launches, sizes, labels on the device, views, streams, large indices."""

import numpy as np
import pytest
from cuda_faults import planted
from cuda_faults.cross_entropy import FAULTS

from armlab import hand
from armlab.arrays import to_host
from armlab.check.functions import ROUNDOFF
from armlab.hand import kernels
from armlab.hand.kernels import cross_entropy_of_pixel, cuda
from armlab.places import place
from armlab.training.losses import joint_loss

pytestmark = pytest.mark.emulated
SIZES = [
    (1, 1, 1, 1),
    (1, 3, 1, 1),
    (2, 5, 8, 16),
    (1, 2, 1, 257),
    (3, 7, 11, 13),
    (1, 2, 257, 257),
]


def drawn(n, k, h, w):
    """Logits, labels of which some are ignored, and weights of the classes."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, k, (n, h, w))
    labels[rng.random(labels.shape) < 0.2] = 255
    labels[0, 0, 0] = k - 1
    return 3 * rng.standard_normal((n, k, h, w)), labels, rng.uniform(0.5, 2, k)


def there(a, labels, weight, dtype="float64"):
    where = place("emulated")
    return where.asarray(a, dtype), where.asarray(labels), where.asarray(weight, dtype)


def both_ways(a, labels, weight, dloss=0.75):
    loss, backward = hand.cross_entropy(a, labels, weight=weight)
    return [to_host(v) for v in (loss, backward(dloss))]


@pytest.mark.parametrize("weighted", [False, True])
def test_launches(weighted):
    from armlab import emulator

    a, labels, weight = drawn(2, 3, 5, 7)
    a, _, weight = there(a, labels, weight)
    for _ in range(2):  # the first call compiles
        with emulator.counting() as counts:
            _, backward = hand.cross_entropy(a, labels, weight=weight if weighted else None)
        with emulator.counting() as back_counts:
            backward(1.0)
    assert {name: c.calls for name, c in counts.items()} == {
        "loss_of_pixels": 1,
        "loss_mean": 1,
        "host to device": 1,  # the labels
    }
    assert {name: c.calls for name, c in back_counts.items()} == {"loss_back": 1}


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_sizes(size, dtype):
    """Against the specification in float64, on the host.

    Both sums are of numbers of one sign, so that each is off by (depth) u relative, if its longest
    chain of sums has that depth: 8 in a tree, and of its blocks at most 2 in a thread. The terms
    are off by (2 K + 10) u relative to 1 + |log p|, as in the case's bound.
    """
    a, labels, weight = drawn(*size)
    a = a.astype(dtype).astype("float64")
    with kernels.specification():
        loss, da = both_ways(a, labels, weight)
    got, dgot = both_ways(*there(a, labels, weight, dtype))
    u, k = ROUNDOFF[dtype], size[1]
    most = 1 + np.abs(a).max() * 2 + np.log(k)  # of |log p|, and of |below|
    assert abs(got - loss) <= 2 * u * (2 * k + 10 + 2 * 18 + 3) * most + u
    scale = 0.75 / weight[labels[labels != 255]].sum()
    assert (np.abs(dgot - da) <= u * (4 * k + 20 + 18 + most) * 2 * scale * weight.max()).all()
    assert dgot.shape == size


def test_every_pixel_of_the_device_is_ignored():
    a, labels, weight = there(*drawn(1, 3, 4, 5))
    loss, backward = hand.cross_entropy(a, labels * 0 + 255, weight=weight)
    assert np.isnan(to_host(loss))
    np.testing.assert_array_equal(to_host(backward(1.0)), np.zeros(a.shape))


def test_no_pixels():
    xp = place("emulated").xp
    loss, backward = hand.cross_entropy(xp.ones((0, 3, 4, 5)), xp.ones((0, 4, 5), dtype=xp.int64))
    assert np.isnan(to_host(loss))
    assert backward(1.0).shape == (0, 3, 4, 5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_labels_of_any_whole_number_on_the_device(dtype):
    a, labels, weight = drawn(2, 3, 5, 7)
    labels[labels == 255] = 3  # is ignored too, as it is no class: the device does not check
    want = both_ways(*there(a, labels, weight))
    got = both_ways(*there(a, labels.astype(dtype), weight))
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one, other)


def test_views_give_the_same_bits():
    arrays = drawn(2, 3, 5, 7)
    want = both_ways(*there(*arrays))
    xp = place("emulated").xp
    turned = [xp.flip(xp.asarray(np.flip(v).copy())) for v in arrays]
    inside = [xp.asarray(np.pad(v, 1))[(slice(1, -1),) * v.ndim] for v in arrays]
    for given in (turned, inside):
        for one, other in zip(both_ways(*given), want, strict=True):
            np.testing.assert_array_equal(one, other)


def test_an_upstream_gradient_may_be_an_array():
    a, labels, weight = there(*drawn(2, 3, 5, 7))
    _, backward = hand.cross_entropy(a, labels, weight=weight)
    number, again = (to_host(backward(0.75)) for _ in range(2))
    array = to_host(backward(place("emulated").asarray([0.5, 0.75])[1]))  # a view with an offset
    np.testing.assert_array_equal(number, again)
    np.testing.assert_array_equal(number, array)


def test_another_stream():
    where = place("emulated")
    import cupy

    arrays = there(*drawn(2, 3, 5, 7))
    want = both_ways(*arrays)
    where.device.synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        got = both_ways(*arrays)
        stream.synchronize()
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one, other)


# -- several outputs -------------------------------------------------------------------------------


def joint(count, size=(2, 3, 5, 101)):  # four blocks
    rng = np.random.default_rng(9)
    _, labels, weight = drawn(*size)
    return [rng.standard_normal(size) for _ in range(count)], labels, weight


def separately(outputs, labels, weight, dloss):
    """The sum of the losses, and all gradients, from a call for each output."""
    total, gradients = 0.0, []
    for a in outputs:
        loss, da = both_ways(*there(a, labels, weight), dloss)
        total = total + loss
        gradients.append(da)
    return total, gradients


def judged_jointly(count):
    outputs, labels, weight = joint(count)
    total, gradients = separately(outputs, labels, weight, 0.75)
    moved = tuple(there(a, labels, weight)[0] for a in outputs)
    loss, backward = joint_loss(moved, labels, weight=there(labels, labels, weight)[2])
    assert to_host(loss) == total
    for got, da in zip(backward(0.75), gradients, strict=True):
        np.testing.assert_array_equal(to_host(got), da)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
def test_several_outputs_are_judged_as_each_alone(count):
    judged_jointly(count)


def test_several_outputs_share_their_launches():
    from armlab import emulator

    outputs, labels, weight = joint(3)
    moved, weight = tuple(there(a, labels, weight)[0] for a in outputs), there(0, 0, weight)[2]
    for _ in range(2):
        with emulator.counting() as counts:
            _, backward = joint_loss(moved, labels, weight=weight)
            backward(1.0)
    calls = {name: c.calls for name, c in counts.items()}
    assert calls == {"loss_of_pixels": 1, "loss_mean": 1, "loss_back": 1, "host to device": 1}


def test_outputs_of_other_shapes_run_one_by_one():
    outputs, labels, weight = joint(2)
    a, labels, _ = there(outputs[0], labels, weight)
    assert cross_entropy_of_pixel.fits(a, (a, a))
    assert not cross_entropy_of_pixel.fits(a, (a, a[:, :2]))
    assert not cross_entropy_of_pixel.fits(a, (a, a.astype("float32")))
    loss, backward = joint_loss((a, a[:, :2]), labels % 2)
    assert [da.shape for da in backward(1.0)] == [a.shape, a[:, :2].shape]
    assert np.isfinite(to_host(loss))


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if f[3] == "joint_loss"], ids=lambda fault: fault[4]
)
def test_a_wrong_kernel_of_several_outputs_is_caught(fault):
    from cupy_backends.cuda.api.driver import CUDADriverError

    from armlab import emulator

    caught = pytest.raises((AssertionError, CUDADriverError))
    with planted(*fault[:3]), caught, emulator.strict():
        judged_jointly(3)


def test_several_outputs_in_strict_mode():
    from armlab import emulator

    with emulator.strict():
        judged_jointly(3)


# -- beyond 2³¹ ------------------------------------------------------------------------------------


def end_of_large_logits():
    """The last pixel's gradient, and the sums of the last block, of more than 2³¹ logits.

    They have memory where they are touched: one block of each kernel runs.
    """
    from armlab import emulator

    xp = place("emulated").xp
    side, k, last = 1 << 14, 9, cuda.THREADS
    a, da = (xp.empty((k, side * side), dtype=xp.float32) for _ in range(2))
    assert a.size > 1 << 31
    labels = xp.empty(side * side, dtype=xp.int64)
    values = np.random.default_rng(5).standard_normal((k, last)).astype("f4")
    a[:, -last:], labels[-last:] = xp.asarray(values), xp.asarray(np.arange(last) % k)
    blocks = side * side // last
    sums, total = xp.empty((blocks, 2), dtype=xp.float32), xp.ones(2, dtype=xp.float32)
    sizes = cuda.structure(
        images=1, classes=k, pixels=side * side, ignored=255, outputs=1, blocks=blocks
    )
    table = np.zeros((), [("a", "u8", cross_entropy_of_pixel.MOST)])
    table["a"][0] = a.data.ptr
    given = (table, labels, 0)
    with emulator.only_blocks([blocks - 1]):
        cuda.launch_blocks("cross_entropy", "loss_of_pixels", a, blocks, last, *given, sums, sizes)
        upstream = (total, 0, np.float32(1))
        cuda.launch_blocks(
            "cross_entropy", "loss_back", a, blocks, last, *given, *upstream, da, sizes
        )
    return to_host(sums[-1]), to_host(da[:, -last:]), values


def test_indices_beyond_2_to_the_31():
    (total, lost), da, values = end_of_large_logits()
    labels = np.arange(256) % 9
    p = np.exp(values.astype("f8")) / np.exp(values.astype("f8")).sum(axis=0)
    assert total == 256
    # below and log z round, 256 terms of at most 8 add up
    np.testing.assert_allclose(lost, np.log(p[labels, range(256)]).sum(), atol=256 * 8 * 60 * 2e-8)
    p[labels, range(256)] -= 1
    np.testing.assert_allclose(da, p, rtol=0, atol=60 * ROUNDOFF["float32"])


def test_indices_of_32_bits_would_be_seen():
    narrow = planted("cross_entropy", "const long long here =", "const int here =", True)
    with narrow, pytest.raises(Exception, match=r"kernel loss_back (reads|writes)"):
        end_of_large_logits()
