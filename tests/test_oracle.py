"""An oracle that is not ours: pytorchcv's modules, with their weights in the modules by hand."""

import numpy as np
import pytest
import torch

from armlab import hand

bisenet = pytest.importorskip(
    "pytorchcv.models.bisenet", reason="install it with  pip install --no-deps pytorchcv==0.0.74"
)

BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
FC = [f"fc{i}.{p}" for i in (1, 2) for p in ("weight", "bias")]


def same(a, b):
    b = b.detach().numpy().reshape(a.shape)  # a Linear's weight is a 1×1 kernel
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)  # bounds.whole


def compare(by_hand, theirs, keys, shape, training=True):
    """Output, all gradients and running statistics, from their weights; keys: theirs -> ours."""
    theirs.double().train(training)
    with torch.no_grad():
        for t in theirs.state_dict().values():
            if t.is_floating_point():
                t.copy_(torch.tensor(np.random.default_rng(1).uniform(0.5, 1.5, t.shape)))
    shapes = {key: a.shape for key, a in by_hand.state_dict().items()}
    state = {keys[k]: t.reshape(shapes[keys[k]]) for k, t in theirs.state_dict().items()}
    by_hand.load_state_dict(state).train(training)

    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    t = torch.tensor(x, requires_grad=True)
    ty = theirs(t)
    y, backward = by_hand(x)
    dy = rng.standard_normal(y.shape)
    dx, grads = backward(dy)
    names, parameters = zip(*theirs.named_parameters(), strict=True)
    tdx, *tgrads = torch.autograd.grad(ty, [t, *parameters], torch.tensor(dy))
    same(y, ty)
    same(dx, tdx)
    for name, g in zip(names, tgrads, strict=True):
        same(grads[keys[name]], g)
    for key, value in theirs.state_dict().items():
        same(by_hand.state_dict()[keys[key]], value)


@pytest.mark.parametrize("training", [True, False])
def test_arm_of_the_repositories(training):
    keys = {"conv1.conv.weight": "conv.conv.weight", "conv2.conv.weight": "conv_atten.weight"}
    keys |= {f"conv1.bn.{p}": f"conv.bn.{p}" for p in BN}
    keys |= {f"conv2.bn.{p}": f"bn_atten.{p}" for p in BN}
    arm = hand.AttentionRefinementModule(7, 5, "relu", dtype="float64")
    compare(arm, bisenet.AttentionRefinementBlock(7, 5), keys, (3, 7, 6, 4), training)


def test_squeeze_excitation():
    from pytorchcv.models.common.att import SEBlock

    keys = {name.replace("fc", "conv"): name for name in FC}
    se = hand.SqueezeExcitation(6, 2, dtype="float64")
    compare(se, SEBlock(channels=6, reduction=2), keys, (2, 6, 5, 4))


@pytest.mark.parametrize("training", [True, False])
def test_cbam(training):
    from pytorchcv.models.cbamresnet import CbamBlock

    keys = {f"ch_gate.mlp.{name}": f"ch_gate.{name}" for name in FC}
    keys |= {"sp_gate.conv.conv.weight": "sp_gate.conv.weight"}
    keys |= {f"sp_gate.conv.bn.{p}": f"sp_gate.bn.{p}" for p in BN}
    cbam = hand.CBAM(6, 2, dtype="float64")
    compare(cbam, CbamBlock(channels=6, reduction_ratio=2), keys, (3, 6, 9, 8), training)
