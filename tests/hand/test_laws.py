"""What holds of every attention module whatever its weights: random ones here, in float64."""

import numpy as np
import pytest
from test_formulas import assert_same, randomised

from armlab import hand

C = 4
X = (3, C, 5, 6)
WIDE = {"rng": 0, "dtype": "float64"}
ATTENTIONS = {
    "PaperAttentionRefinement": lambda: hand.PaperAttentionRefinement(C, **WIDE),
    "AttentionRefinementModule": lambda: hand.AttentionRefinementModule(C, C, **WIDE),
    "SqueezeExcitation": lambda: hand.SqueezeExcitation(C, 1, **WIDE),
    "EffectiveSE": lambda: hand.EffectiveSE(C, **WIDE),
    "ECA": lambda: hand.ECA(C, 3, **WIDE),
    "CBAMChannel": lambda: hand.CBAMChannel(C, 1, **WIDE),
    "CBAMSpatial": lambda: hand.CBAMSpatial(3, **WIDE),
    "CBAMSpatialMeanFirst": lambda: hand.CBAMSpatialMeanFirst(3, **WIDE),
    "CBAM": lambda: hand.CBAM(C, 1, **WIDE),
    "CoordinateAttention": lambda: hand.CoordinateAttention(C, **WIDE),
    "SimAM": hand.SimAM,
    "UAFMSpatial": lambda: hand.UAFMSpatial(**WIDE),
    "UAFMChannel": lambda: hand.UAFMChannel(C, **WIDE),
    "Attentionout": lambda: hand.Attentionout(C, **WIDE),
    "ResidualAttentionout": lambda: hand.ResidualAttentionout(C, **WIDE),
    "ListedSAR": lambda: hand.ListedSAR(C, 3, **WIDE),
    "SAR": lambda: hand.SAR(C, 3, C, **WIDE),
    "ConvAttention": lambda: hand.ConvAttention(C, C, "coordinate", **WIDE),
    "FeatureFusionModule": lambda: hand.FeatureFusionModule(2 * C, C, 2, **WIDE),
    "SingleLayerFeatureFusion": lambda: hand.SingleLayerFeatureFusion(2 * C, C, **WIDE),
}
FUSIONS = {"UAFMSpatial", "UAFMChannel", "FeatureFusionModule", "SingleLayerFeatureFusion"}


def test_every_attention_module_is_here():
    names = {name for name in hand.__all__ if hasattr(getattr(hand, name), "gate")}
    assert names - {"ToyNet"} == set(ATTENTIONS)


@pytest.fixture(params=["train", "eval"])
def mode(request):
    return request.param


@pytest.fixture(params=range(3))
def seed(request):
    return request.param


def drawn(name, seed, mode):
    """The module with random weights, its input or inputs, and the generator.

    Weights are small enough that no gate rounds to 1, as it does from a logit of 37 on.
    """
    rng = np.random.default_rng(seed)
    module = randomised(ATTENTIONS[name](), rng).train(mode == "train")
    module.assign({key: a / 2 for key, a in module.parameters().items()})
    return module, [rng.standard_normal(X) for _ in range(1 + (name in FUSIONS))], rng


def output(module, *inputs):
    """y, with the running statistics left as they are."""
    return module.copy()(*inputs)[0]


def assert_differs(y, other):
    assert np.abs(y - other).max() > 1e-6


# -- between shut and open --------------------------------------------------------------------


def shut_and_open(name, module, *inputs):
    """What comes out where every gate is 0, and where every gate is 1."""
    x, parts = inputs[0], module.copy()
    if name in ("AttentionRefinementModule", "ConvAttention"):
        x = output(parts.conv, x)
    if name in ("FeatureFusionModule", "SingleLayerFeatureFusion"):
        x = output(parts.convblk, np.concatenate(inputs, axis=1))
    if name in ("ResidualAttentionout", "FeatureFusionModule", "SingleLayerFeatureFusion"):
        return x, 2 * x
    if name.startswith("UAFM"):
        return inputs[1], x
    if name == "SAR":
        return output(parts.conv1, 0 * x), output(parts.conv1, x)
    return 0 * x, x


@pytest.mark.parametrize("name", ATTENTIONS)
def test_gates_are_between_0_and_1_and_y_between_shut_and_open(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    gate = module.gate(*inputs)
    assert ((gate > 0) & (gate < 1)).all()
    if name != "SAR":  # which has a convolution behind its gate
        ends = np.sort(shut_and_open(name, module, *inputs), axis=0)
        y = output(module, *inputs)
        assert ((ends[0] - 1e-12 <= y) & (y <= ends[1] + 1e-12)).all()


LOGIT_BIASES = {
    "PaperAttentionRefinement": ["bn_atten.bias"],
    "AttentionRefinementModule": ["bn_atten.bias"],
    "SqueezeExcitation": ["fc2.bias"],
    "EffectiveSE": ["fc.bias"],
    "CBAMChannel": ["fc2.bias"],
    "CBAMSpatial": ["bn.bias"],
    "CBAMSpatialMeanFirst": ["bn.bias"],
    "CBAM": ["ch_gate.fc2.bias", "sp_gate.bn.bias"],
    "CoordinateAttention": ["conv_h.bias", "conv_w.bias"],
    "UAFMSpatial": ["conv_atten.1.bn.bias"],
    "UAFMChannel": ["conv_atten.1.bn.bias"],
    "Attentionout": ["bn_atten.bias"],
    "ResidualAttentionout": ["bn_atten.bias"],
    "ListedSAR": ["bn_atten.bias"],
    "SAR": ["bn_atten.bias"],
    "SingleLayerFeatureFusion": ["bn.bias"],
}


@pytest.mark.parametrize("name", LOGIT_BIASES)
def test_far_out_logits_shut_and_open_every_gate(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    for sign, want in zip((-1, 1), shut_and_open(name, module, *inputs), strict=True):
        arrays = module.parameters()
        module.assign({key: np.full_like(arrays[key], sign * 1e4) for key in LOGIT_BIASES[name]})
        assert_same(output(module, *inputs), want)


# -- permuted positions -----------------------------------------------------------------------

POINTWISE = [  # each position is treated alike, wherever it is
    "PaperAttentionRefinement",
    "SqueezeExcitation",
    "EffectiveSE",
    "ECA",
    "CBAMChannel",
    "SimAM",
    "UAFMChannel",
    "Attentionout",
    "ResidualAttentionout",
    "FeatureFusionModule",
    "SingleLayerFeatureFusion",
]


def shuffled(x, order):
    return x.reshape(*x.shape[:2], -1)[:, :, order].reshape(x.shape)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_shuffled_pixels_give_shuffled_pixels_unless_neighbours_count(name, seed, mode):
    module, inputs, rng = drawn(name, seed, mode)
    order = rng.permutation(X[2] * X[3])
    y = output(module, *(shuffled(x, order) for x in inputs))
    want = shuffled(output(module, *inputs), order)
    if name in POINTWISE:
        assert_same(y, want)
    else:
        assert_differs(y, want)


def test_coordinate_attention_commutes_with_shuffled_rows_and_columns(seed, mode):
    module, (x,), rng = drawn("CoordinateAttention", seed, mode)
    at = np.ix_(range(X[0]), range(C), rng.permutation(X[2]), rng.permutation(X[3]))
    assert_same(output(module, x[at]), output(module, x)[at])


def test_coordinate_attention_of_a_transposed_image_has_its_convolutions_swapped(seed, mode):
    module, (x,), _ = drawn("CoordinateAttention", seed, mode)
    y, state = output(module, x), module.state_dict()
    for p in ("weight", "bias"):
        state[f"conv_h.{p}"], state[f"conv_w.{p}"] = state[f"conv_w.{p}"], state[f"conv_h.{p}"]
    module.load_state_dict(state)
    assert_same(output(module, np.swapaxes(x, 2, 3)), np.swapaxes(y, 2, 3))


# -- permuted channels ------------------------------------------------------------------------

BN = ("weight", "bias", "running_mean", "running_var")
ATTEN = {"conv_atten.weight": (0, 1)} | {f"bn_atten.{p}": (0,) for p in BN}
FC = {"fc1.weight": (1,), "fc2.weight": (0,), "fc2.bias": (0,)}


def conv_bn(conv, bn, axes=(0,)):
    return {f"{conv}.weight": axes} | {f"{bn}.{p}": (0,) for p in BN}


CHANNEL_AXES = {  # by key, the axes along which the weights are permuted with the channels
    "PaperAttentionRefinement": ATTEN,
    "AttentionRefinementModule": conv_bn("conv.conv", "conv.bn", (0, 1)) | ATTEN,
    "SqueezeExcitation": FC,
    "EffectiveSE": {"fc.weight": (0, 1), "fc.bias": (0,)},
    "CBAMChannel": FC,
    "CBAMSpatial": {},
    "CBAMSpatialMeanFirst": {},
    "CBAM": {f"ch_gate.{key}": axes for key, axes in FC.items()},
    "CoordinateAttention": {"conv1.weight": (1,)}
    | {f"conv_{s}.{p}": (0,) for s in "hw" for p in ("weight", "bias")},
    "SimAM": {},
    "UAFMSpatial": {},
    "UAFMChannel": {"conv_atten.0.conv.weight": (1,)}
    | conv_bn("conv_atten.1.conv", "conv_atten.1.bn"),
    "Attentionout": ATTEN,
    "ResidualAttentionout": ATTEN,
    "ListedSAR": {"conv_reduce.conv.weight": (1,)},
    "SAR": {"conv_reduce.conv.weight": (1,)} | conv_bn("conv1.conv", "conv1.bn", (0, 1)),
    "FeatureFusionModule": conv_bn("convblk.conv", "convblk.bn", (0, 1))
    | {"conv1.weight": (1,), "conv2.weight": (0,)},
    "SingleLayerFeatureFusion": conv_bn("convblk.conv", "convblk.bn", (0, 1))
    | conv_bn("conv", "bn", (0, 1)),
}


def permuted(a, order, axes):
    """Along each axis, which holds the C channels once or several times, one set after another."""
    for axis in axes:
        sets = range(a.shape[axis] // C)
        a = np.take(a, np.concatenate([i * C + order for i in sets]), axis=axis)
    return a


@pytest.mark.parametrize("name", CHANNEL_AXES)
def test_the_order_of_the_channels_has_no_meaning_but_by_the_weights(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    order = np.array([2, 0, 3, 1])
    want = permuted(output(module, *inputs), order, (1,))
    inputs = [permuted(x, order, (1,)) for x in inputs]
    axes, state = CHANNEL_AXES[name], module.state_dict()
    if axes:
        assert_differs(output(module, *inputs), want)
    module.load_state_dict({k: permuted(a, order, axes.get(k, ())) for k, a in state.items()})
    assert_same(output(module, *inputs), want)


def test_eca_knows_the_order_of_the_channels_and_only_its_direction_is_free(seed, mode):
    module, (x,), _ = drawn("ECA", seed, mode)
    y = output(module, x)
    order = np.array([2, 0, 3, 1])
    assert_differs(output(module, x[:, order]), y[:, order])
    assert_differs(output(module, x[:, ::-1]), y[:, ::-1])
    module.assign({"conv.weight": module.parameters()["conv.weight"][:, :, ::-1]})
    assert_same(output(module, x[:, ::-1]), y[:, ::-1])


# -- images, and SimAM's own ------------------------------------------------------------------

WITHOUT_BN = ["SqueezeExcitation", "EffectiveSE", "ECA", "CBAMChannel", "SimAM"]


@pytest.mark.parametrize("name", ATTENTIONS)
def test_images_of_a_batch_meet_only_in_the_statistics_of_bn(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    y = output(module, *inputs)
    fewer = output(module, *(x[:2] for x in inputs))
    if mode == "eval" or name in WITHOUT_BN:
        assert_same(fewer, y[:2])
    else:
        assert_differs(fewer, y[:2])


def test_simam_sees_distances_alone(seed):
    """Not where a channel lies, nor its sign; nor its scale, if λ has the same."""
    module, (x,), rng = drawn("SimAM", seed, "eval")
    gate = module.gate(x)
    assert gate.min() >= hand.sigmoid(np.array(0.5))[0]
    assert_same(module.gate(x + rng.standard_normal((1, C, 1, 1))), gate)
    assert_same(module.gate(-x), gate)
    assert_same(hand.SimAM(lambda_=9e-4).gate(3 * x), gate)
    assert_differs(module.gate(np.abs(x)), gate)
