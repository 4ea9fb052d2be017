"""Whole networks: equal to their twins at full width, for images of any size, and trainable."""

import numpy as np
import pytest
import torch

import armlab.torch as twins
from armlab import hand
from armlab.check import bounds
from armlab.data.scenes import Scenes
from armlab.training.optimisers import Adam


def pair(name, *args, dtype="float64", **kwargs):
    """A network by hand, and its twin with the same weights and other running statistics."""
    by_hand = getattr(hand, name)(*args, **kwargs, rng=0, dtype=dtype)
    rng = np.random.default_rng(1)
    by_hand.load_state_dict(
        {
            key: a + rng.random(a.shape) if "running" in key else a
            for key, a in by_hand.state_dict().items()
        }
    )
    twin = getattr(twins, name)(*args, **kwargs).to(getattr(torch, dtype))
    twin.load_state_dict({k: torch.tensor(a) for k, a in by_hand.state_dict().items()}, strict=True)
    return by_hand, twin


def expect_same(mine, theirs, what):
    theirs = theirs.detach().numpy()
    off = np.abs(mine - theirs) - bounds.whole(theirs)
    assert off.max() <= 0, f"{what} is {off.max():.3g} over its bound"


def expect_twins(by_hand, twin, shape):
    """Outputs, every gradient and every running statistic, under the bound of composites."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(shape)
    t = torch.tensor(x, requires_grad=True)
    ys, ts = (v if isinstance(v, tuple) else (v,) for v in (by_hand.copy()(x)[0], twin(t)))
    dys = tuple(rng.standard_normal(y.shape) for y in ys)
    _, backward = by_hand(x)
    dx, grads = backward(dys if len(dys) > 1 else dys[0])
    parameters = dict(twin.named_parameters())
    found = torch.autograd.grad(
        ts,
        [t, *parameters.values()],
        [torch.tensor(dy) for dy in dys],
        allow_unused=True,
        materialize_grads=True,
    )
    for i, (y, ty) in enumerate(zip(ys, ts, strict=True)):
        expect_same(y, ty, f"output {i}")
    expect_same(dx, found[0], "dx")
    assert list(grads) == list(parameters)
    for key, want in zip(parameters, found[1:], strict=True):
        expect_same(grads[key], want, key)
    for key, want in twin.named_buffers():
        expect_same(by_hand.buffers()[key], want, key)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("name", "classes"), [("BiSeNet", 19), ("ThreeScaleBiSeNet", 9)])
def test_hand_and_twin_agree_at_full_width(name, classes, training):
    by_hand, twin = pair(name, classes)
    expect_twins(by_hand.train(training), twin.train(training), (2, 3, 65, 40))


def test_parameters_are_those_that_were_counted_for_coincheung():
    sizes = {key: a.size for key, a in hand.BiSeNet(19, rng=0).parameters().items()}
    heads = sum(n for key, n in sizes.items() if key.startswith(("conv_out16", "conv_out32")))
    assert (sum(sizes.values()) - heads, heads) == (13_275_539, 150_182)
    assert sum(n for key, n in sizes.items() if ".arm" in key) == 918_528


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (37, 64), (5, 129)])
@pytest.mark.parametrize("name", ["ToyBiSeNet", "ThreeScaleBiSeNet"])
def test_any_size_of_image_will_do(name, size):
    """Upsampling by a scale factor fails here, for sizes that 32 does not divide."""
    by_hand, twin = pair(name, 3, width=2)
    expect_twins(by_hand.train(), twin.train(), (2, 3, *size))


@pytest.mark.parametrize(("name", "outputs"), [("ToyBiSeNet", 3), ("ThreeScaleBiSeNet", 2)])
def test_auxiliary_heads_are_there_in_training_only(name, outputs):
    net = getattr(hand, name)(3, width=2, rng=0)
    x = np.random.default_rng(0).standard_normal((2, 3, 20, 30)).astype("f4")
    ys, _ = net(x)
    assert [y.shape for y in ys] == [(2, 3, 20, 30)] * outputs
    y, backward = net.eval()(x)
    assert y.shape == (2, 3, 20, 30)
    _, grads = backward(np.random.default_rng(1).standard_normal(y.shape).astype("f4"))
    idle = {key for key, g in grads.items() if not g.any()}
    assert idle == {key for key in grads if key.startswith(("conv_out16", "conv_out32"))}


@pytest.mark.parametrize("used", range(3))
def test_none_stands_for_an_output_that_nobody_used(used):
    net = hand.ToyBiSeNet(3, width=2, rng=0, dtype="float64")
    rng = np.random.default_rng(0)
    ys, backward = net(rng.standard_normal((2, 3, 33, 20)))
    dy = rng.standard_normal(ys[used].shape)
    some, zeros = ([None] * 3, [np.zeros_like(y) for y in ys])
    some[used] = zeros[used] = dy
    (dx, grads), (want_dx, want) = backward(tuple(some)), backward(tuple(zeros))
    np.testing.assert_array_equal(dx, want_dx)
    for key, g in want.items():
        np.testing.assert_array_equal(grads[key], g)
    with pytest.raises(ValueError, match="at least one of them not None"):
        backward((None, None, None))


def test_the_spatial_path_sees_19_pixels_and_the_context_path_all():
    x = np.random.default_rng(0).standard_normal((1, 3, 80, 96))
    sp = hand.SpatialPath(4, rng=0, dtype="float64").eval()
    cp = hand.ContextPath(4, rng=0, dtype="float64").eval()
    moved = x.copy()
    moved[0, :, 37, 61] += 1
    rows, cols = np.nonzero((sp(moved)[0] != sp(x)[0]).any(axis=(0, 1)))
    reach = 9  # half of 19
    for pixel, seen in ((37, rows), (61, cols)):
        assert set(seen) == {i for i in range(13) if abs(8 * i - pixel) <= reach}
    assert (cp(moved)[0][0] != cp(x)[0][0]).any(axis=(0, 1)).all()


def test_toy_bisenet_learns():
    scenes, net, optimiser = Scenes(), hand.ToyBiSeNet(3, rng=0), Adam()
    losses = []
    for step in range(25):
        images, labels = scenes.batch(range(8 * step, 8 * step + 8))
        ys, backward = net(images.astype("f4"))
        each, backs = zip(*(hand.cross_entropy(y, labels) for y in ys), strict=True)
        _, grads = backward(tuple(back(1.0) for back in backs))
        optimiser.step(net, grads, 4e-3)
        losses.append([float(loss) for loss in each])
    first, last = np.array(losses[0]), np.mean(losses[-5:], axis=0)
    assert (last < first * [0.4, 0.7, 0.7]).all(), (first, last)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ToyNet", {"attention": "arm", "channels": 6}),
        ("ToyBiSeNet", {"width": 2}),
        ("ThreeScaleBiSeNet", {"width": 2}),
        ("SpatialPath", {"width": 2}),
        ("ConvBN", {"in_channels": 3, "out_channels": 4}),
        ("ConvBNAct", {"in_channels": 3, "out_channels": 4}),
        ("Conv2d", {"in_channels": 3, "out_channels": 4, "kernel_size": 3}),
    ],
)
def test_without_the_gradient_of_the_image_the_others_are_the_same(name, options):
    net, rng = getattr(hand, name)(**options, rng=0), np.random.default_rng(3)
    y, backward = net(rng.standard_normal((2, 3, 33, 35)).astype("f4"))
    several = isinstance(y, tuple)
    dys = [rng.standard_normal(a.shape).astype("f4") for a in (y if several else (y,))]
    dy = tuple(dys) if several else dys[0]
    dx, grads = backward(dy)
    spared, same = backward(dy, input_grad=False)
    assert dx is not None
    assert spared is None
    assert list(same) == list(grads)
    for key, g in grads.items():
        np.testing.assert_array_equal(same[key], g)
