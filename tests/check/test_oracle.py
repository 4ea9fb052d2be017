"""An oracle that is not ours: pytorchcv's modules, with their weights in the modules by hand."""

import numpy as np
import pytest
import torch

from armlab import hand, weights

bisenet = pytest.importorskip(
    "pytorchcv.models.bisenet", reason="install it with  pip install --no-deps pytorchcv==0.0.74"
)


def same(a, b, what):
    error = np.abs(a - np.asarray(b)).max()
    print(f"{what}: largest difference {error:.1e}")  # pytest -rP shows it
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)  # bounds.whole


def compare(by_hand, theirs, *shapes, training=True):
    """Outputs, all gradients and running statistics, from their weights; one shape per input."""

    def renamed(tensors):
        return weights.rename(
            weights.from_torch(tensors), "pytorchcv", module=type(by_hand).__name__
        )

    weights_rng = np.random.default_rng(1)
    theirs.double().train(training)
    with torch.no_grad():
        for key, t in theirs.state_dict().items():
            if t.is_floating_point():
                a = weights_rng.normal(size=t.shape)
                t.copy_(torch.tensor(np.abs(a) if key.endswith("running_var") else a))
    by_hand.load_state_dict(renamed(theirs.state_dict())).train(training)

    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(shape) for shape in shapes]
    ts = [torch.tensor(x, requires_grad=True) for x in xs]
    ty = theirs(*ts)
    y, backward = by_hand(*xs)
    dy = rng.standard_normal(y.shape)
    *dxs, grads = backward(dy)
    names, parameters = zip(*theirs.named_parameters(), strict=True)
    tgrads = torch.autograd.grad(ty, [*ts, *parameters], torch.tensor(dy))
    same(y, ty.detach(), "y")
    for dx, tdx in zip(dxs, tgrads, strict=False):
        same(dx, tdx, "dx")
    expected = renamed(dict(zip(names, tgrads[len(ts) :], strict=True)))
    assert set(expected) == set(grads)
    for key, g in expected.items():
        same(grads[key], g, f"gradient of {key}")
    for key, value in renamed(theirs.state_dict()).items():
        same(by_hand.state_dict()[key], value, key)


@pytest.mark.parametrize("training", [True, False])
def test_arm_of_the_repositories(training):
    arm = hand.AttentionRefinementModule(7, 5, "relu", dtype="float64")
    theirs = bisenet.AttentionRefinementBlock(7, 5)
    compare(arm, theirs, (3, 7, 6, 4), training=training)


@pytest.mark.parametrize("training", [True, False])
def test_feature_fusion(training):
    ffm = hand.FeatureFusionModule(7, 8, reduction=4, dtype="float64")
    compare(ffm, bisenet.FeatureFusion(7, 8), (3, 2, 6, 4), (3, 5, 6, 4), training=training)


def test_squeeze_excitation():
    from pytorchcv.models.common.att import SEBlock

    se = hand.SqueezeExcitation(6, 2, dtype="float64")
    compare(se, SEBlock(channels=6, reduction=2), (2, 6, 5, 4))


@pytest.mark.parametrize("training", [True, False])
def test_cbam(training):
    from pytorchcv.models.cbamresnet import CbamBlock

    cbam = hand.CBAM(6, 2, dtype="float64")
    theirs = CbamBlock(channels=6, reduction_ratio=2)
    compare(cbam, theirs, (3, 6, 9, 8), training=training)


def test_their_whole_network_part_by_part():
    """Through the map of the network: the ResNet, both ARMs, the global context, FFM and heads.

    The tolerance is relative: after 20 layers of random statistics the outputs are large.
    """
    torch.manual_seed(0)
    theirs = bisenet.bisenet_resnet18_celebamaskhq(fixed_size=False).double().eval()
    with torch.no_grad():
        for key, t in theirs.state_dict().items():
            if ".bn." in key and t.is_floating_point():  # of the default 0 and 1 a mix-up is hidden
                t.copy_(t + torch.rand_like(t))
    state = weights.from_torch(theirs.state_dict())

    def with_their_weights(module, part):
        return module.load_state_dict(weights.rename(state, "pytorchcv", part=part)).eval()

    cp = with_their_weights(hand.ContextPath(dtype="float64"), "cp")
    ffm = with_their_weights(hand.FeatureFusionModule(256, 256, 4, dtype="float64"), "ffm")
    heads = {"conv_out": (256, 256), "conv_out16": (128, 64), "conv_out32": (128, 64)}
    heads = {
        part: with_their_weights(hand.BiSeNetOutput(*size, 19, bias=False, dtype="float64"), part)
        for part, size in heads.items()
    }

    x = np.random.default_rng(0).standard_normal((1, 3, 64, 96))
    with torch.no_grad():
        features = theirs.backbone(torch.tensor(x))
        fused, t8, t16 = theirs.pool(*features)
        expected = [fused, t8, t16]
        expected += [theirs.head_z8(fused), theirs.head_y8(t8), theirs.head_y16(t16)]
    (y8, y16), _ = cp(x)
    z8, _ = ffm(features[0].numpy(), y8)
    found = [z8, y8, y16]
    found += [head(f)[0] for head, f in zip(heads.values(), (z8, y8, y16), strict=True)]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * float(b.abs().max()))
