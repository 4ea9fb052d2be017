"""Derivatives have an oracle of their own, without torch: ⟨J v, dy⟩ = ⟨v, Jᵀ dy⟩ in float64.

Values are distinct multiples of 1/8 away from 0, in random order: further from every kink and tie
than the steps of the difference reach.
"""

import numpy as np
import pytest

from armlab import hand
from armlab.check import adjoint
from armlab.hand import conv_bn_act, resnet18

LABELS = np.array([[[0, 1, 2, 255], [2, 2, 0, 1], [1, 0, 255, 2]], [[1] * 4, [0] * 4, [2] * 4]])


def apart(rng, *shape):
    """Distinct values, at least 1/8 from each other and 1/16 from 0; scaled to about ±2."""
    size = int(np.prod(shape))
    values = (np.arange(size) - size // 2 + 0.5) / 8
    return rng.permutation(values).reshape(shape)


def smooth(rng, *shape):
    return rng.standard_normal(shape)


SHAPES = [(2, 3, 4, 5), (3, 1, 5, 2), (1, 4, 2, 3)]
FUNCTIONS = {
    "conv2d": lambda r, s: (
        lambda x, w, b: hand.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
        (smooth(r, *s), smooth(r, 6, s[1], 2, 3), smooth(r, 6)),
    ),
    "conv2d, stride 1": lambda r, s: (
        lambda x, w, b: hand.conv2d(x, w, b, padding=1),
        (smooth(r, *s), smooth(r, 6, s[1], 3, 3), smooth(r, 6)),
    ),
    "conv2d, groups": lambda r, s: (
        lambda x, w: hand.conv2d(x, w, groups=s[1]),
        (smooth(r, *s), smooth(r, 2 * s[1], 1, 2, 1)),
        # no bias: its gradient is None
    ),
    "batch_norm": lambda r, s: (
        lambda x, w, b: first_of_three(hand.batch_norm(x, w, b)),
        (smooth(r, *s), smooth(r, s[1]), smooth(r, s[1])),
    ),
    "batch_norm_eval": lambda r, s: (
        lambda x, w, b: hand.batch_norm_eval(x, w, b, mean=0.3 + 0 * w, var=1.7 + 0 * w),
        (smooth(r, *s), smooth(r, s[1]), smooth(r, s[1])),
    ),
    "relu": lambda r, s: (hand.relu, (apart(r, *s),)),
    "leaky_relu": lambda r, s: (hand.leaky_relu, (apart(r, *s),)),
    "sigmoid": lambda r, s: (hand.sigmoid, (smooth(r, *s),)),
    "sigmoid_gate, channel": lambda r, s: (
        hand.sigmoid_gate,
        (smooth(r, *s), smooth(r, s[0], s[1], 1, 1)),
    ),
    "sigmoid_gate, position": lambda r, s: (
        hand.sigmoid_gate,
        (smooth(r, *s), smooth(r, s[0], 1, *s[2:])),
    ),
    "sigmoid_gate, element": lambda r, s: (hand.sigmoid_gate, (smooth(r, *s), smooth(r, *s))),
    "global_avg_pool": lambda r, s: (hand.global_avg_pool, (smooth(r, *s),)),
    "global_max_pool": lambda r, s: (hand.global_max_pool, (apart(r, *s),)),
    "channel_conv1d": lambda r, s: (
        hand.channel_conv1d,
        (smooth(r, s[0], s[1], 1, 1), smooth(r, 1, 1, 3)),
    ),
    "channel_mean": lambda r, s: (hand.channel_mean, (smooth(r, *s),)),
    "channel_max": lambda r, s: (hand.channel_max, (apart(r, *s),)),
    "strip_mean, rows": lambda r, s: (lambda x: hand.strip_mean(x, axis=3), (smooth(r, *s),)),
    "strip_mean, columns": lambda r, s: (lambda x: hand.strip_mean(x, axis=2), (smooth(r, *s),)),
    "hard_swish": lambda r, s: (hand.hard_swish, (apart(r, *s),)),  # odd 16ths: never ±3
    "simam_logits": lambda r, s: (hand.simam_logits, (smooth(r, *s),)),
    "simam_logits, a large λ": lambda r, s: (
        lambda x: hand.simam_logits(x, lambda_=1.0),
        (smooth(r, *s),),
    ),
    "concat_channels": lambda r, s: (
        hand.concat_channels,
        (smooth(r, *s), smooth(r, s[0], 6, *s[2:])),
    ),
    "max_pool2d": lambda r, s: (
        lambda x: hand.max_pool2d(x, kernel_size=(2, 2), stride=1, padding=1),
        (apart(r, *s),),
    ),
    "max_pool2d, tall windows": lambda r, s: (
        lambda x: hand.max_pool2d(x, kernel_size=(5, 2), stride=1, padding=(2, 0)),
        (apart(r, *s),),
    ),
    "resize_bilinear": lambda r, s: (
        lambda x: hand.resize_bilinear(x, size=(7, 3)),
        (smooth(r, *s),),
    ),
    "resize_nearest": lambda r, s: (
        lambda x: hand.resize_nearest(x, size=(3, 8)),
        (smooth(r, *s),),
    ),
    "cross_entropy": lambda r, s: (
        lambda a: hand.cross_entropy(a, LABELS, weight=np.array([1.0, 0.5, 2.0])),
        (smooth(r, 2, 3, 3, 4),),
    ),
}


def first_of_three(result):
    (y, _, _), backward = result
    return y, backward


def without_absent(function):
    def call(*inputs):
        y, backward = function(*inputs)

        def present(dy):
            grads = backward(dy)
            grads = grads if isinstance(grads, tuple) else (grads,)
            return tuple(g for g in grads if g is not None)

        return y, present

    return call


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_backward_is_the_transpose_of_the_derivative(name, shape, seed):
    rng = np.random.default_rng([seed, *shape])
    function, inputs = FUNCTIONS[name](rng, shape)
    found = adjoint(without_absent(function), *inputs, rng=rng)
    assert found.smooth, f"{name}: a kink lies between the steps: {found}"
    assert found.holds, f"{name}: {found}"


MODULES = {
    "ConvBN": lambda: hand.ConvBN(3, 5, rng=1, dtype="float64"),
    "Conv2d": lambda: hand.Conv2d(3, 2, 3, padding=1, rng=1, dtype="float64"),
    "BatchNorm2d": lambda: hand.BatchNorm2d(3, dtype="float64"),
    "EffectiveSE": lambda: hand.EffectiveSE(3, rng=1, dtype="float64"),
    "ECA": lambda: hand.ECA(3, rng=1, dtype="float64"),
    "Attentionout": lambda: hand.Attentionout(3, rng=1, dtype="float64"),
    "ResidualAttentionout": lambda: hand.ResidualAttentionout(3, rng=1, dtype="float64"),
    "PaperAttentionRefinement": lambda: hand.PaperAttentionRefinement(3, rng=1, dtype="float64"),
    "SimAM": lambda: hand.SimAM(),
}
KINKED = {
    "SqueezeExcitation": lambda: hand.SqueezeExcitation(3, 1, rng=1, dtype="float64"),
    "CBAM": lambda: hand.CBAM(3, 1, rng=1, dtype="float64"),
    "CoordinateAttention": lambda: hand.CoordinateAttention(3, rng=1, dtype="float64"),
    "UAFMSpatial": lambda: hand.UAFMSpatial(rng=1, dtype="float64"),
    "UAFMChannel": lambda: hand.UAFMChannel(3, rng=1, dtype="float64"),
    "ListedSAR": lambda: hand.ListedSAR(3, 2, rng=1, dtype="float64"),
    "SAR": lambda: hand.SAR(3, 2, 4, rng=1, dtype="float64"),
    "FeatureFusionModule": lambda: hand.FeatureFusionModule(6, 4, 2, rng=1, dtype="float64"),
    "SingleLayerFeatureFusion": lambda: hand.SingleLayerFeatureFusion(6, 4, rng=1, dtype="float64"),
    "BasicBlock": lambda: hand.BasicBlock(3, 5, 2, rng=1, dtype="float64"),
    "BiSeNetOutput": lambda: hand.BiSeNetOutput(3, 4, 5, rng=1, dtype="float64"),
    "ConvBNAct": lambda: hand.ConvBNAct(3, 5, rng=1, dtype="float64"),
    "AttentionRefinementModule": lambda: hand.AttentionRefinementModule(
        3, 5, rng=1, dtype="float64"
    ),
    "ConvAttention": lambda: hand.ConvAttention(3, 4, "eca", rng=1, dtype="float64"),
    "ToyNet": lambda: hand.ToyNet(4, "arm", 4, rng=1, dtype="float64"),
}


X_SHAPE = (4, 3, 6, 5)
SEVERAL_INPUTS = {name: [(4, 3, 3, 4), X_SHAPE] for name in ("UAFMSpatial", "UAFMChannel")}
SEVERAL_INPUTS |= {
    name: [X_SHAPE, X_SHAPE] for name in ("FeatureFusionModule", "SingleLayerFeatureFusion")
}


def as_function(module):
    """A module as a function of its inputs and all its parameters, each of which is varied."""
    keys = list(module.parameters())

    def call(*arrays):
        split = len(arrays) - len(keys)
        module.assign(dict(zip(keys, arrays[split:], strict=True)))
        y, backward = module(*arrays[:split])

        def all_gradients(dy):
            *dinputs, grads = backward(dy)
            return (*dinputs, *(grads[key] for key in keys))

        return y, all_gradients

    return call, tuple(module.parameters().values())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODULES | KINKED)
def test_backward_of_a_module(name, training):
    """A kink inside a module cannot be avoided by construction: such a draw does not count."""
    counted = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        module = (MODULES | KINKED)[name]().train(training)
        function, parameters = as_function(module)
        inputs = [smooth(rng, *shape) for shape in SEVERAL_INPUTS.get(name, [X_SHAPE])]
        found = adjoint(function, *inputs, *parameters, rng=rng)
        if found.smooth:
            counted += 1
            assert found.holds, f"{name}: {found}"
    assert counted >= (5 if name in KINKED else 60)


NETWORKS = {  # and the number of their outputs in training mode
    "SpatialPath": (lambda: hand.SpatialPath(2, rng=1, dtype="float64"), 1),
    "ResNet18": (lambda: hand.ResNet18(1, rng=1, dtype="float64"), 3),
    "ContextPath": (lambda: hand.ContextPath(1, rng=1, dtype="float64"), 2),
    "ThreeScaleContextPath": (lambda: hand.ThreeScaleContextPath(1, rng=1, dtype="float64"), 2),
    "BiSeNet": (lambda: hand.BiSeNet(2, None, (3, 2), 1, rng=1, dtype="float64"), 3),
    "ThreeScaleBiSeNet": (lambda: hand.ThreeScaleBiSeNet(2, 1, rng=1, dtype="float64"), 2),
}
USED = [(name, [i]) for name, (_, outputs) in NETWORKS.items() for i in range(outputs)]
USED += [(name, [*range(outputs)]) for name, (_, outputs) in NETWORKS.items() if outputs > 1]


def end_to_end(function, used):
    """Of a function with several outputs those in `used`, as one vector; nobody used the others."""

    def call(*inputs):
        ys, backward = function(*inputs)
        if not isinstance(ys, tuple):
            return ys, backward

        def apart(dy):
            dys = [None] * len(ys)
            for i in used:
                part, dy = dy[: ys[i].size], dy[ys[i].size :]
                dys[i] = part.reshape(ys[i].shape)
            return backward(tuple(dys))

        return np.concatenate([ys[i].ravel() for i in used]), apart

    return call


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("name", "used"), USED, ids=str)
def test_backward_of_a_network(name, used, training, monkeypatch):
    """With a sigmoid for each ReLU: of so many, one is always at its kink."""
    monkeypatch.setattr(resnet18, "relu", hand.sigmoid)
    for activation in conv_bn_act.ACTIVATIONS:
        monkeypatch.setitem(conv_bn_act.ACTIVATIONS, activation, hand.sigmoid)
    counted = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        module = NETWORKS[name][0]().train(training)
        function, parameters = as_function(module)
        x = smooth(rng, 3, 3, 9, 17)
        found = adjoint(end_to_end(function, used), x, *parameters, rng=rng)
        if found.smooth:  # else two pixels change places in a max pooling
            counted += 1
            assert found.holds, f"{name}: {found}"
        if counted == 2:
            return
    pytest.fail(f"only {counted} of 12 draws are smooth")


def test_a_backward_that_is_a_little_wrong_is_seen():
    def nearly(x):
        y, backward = hand.sigmoid(x)
        return y, lambda dy: backward(dy) * 1.000001

    found = adjoint(nearly, smooth(np.random.default_rng(0), 2, 3, 4, 5))
    assert found.smooth
    assert not found.holds


def test_a_kink_is_seen():
    x = np.full((1, 1, 1, 1), 1e-6)
    assert not adjoint(hand.relu, x).smooth
