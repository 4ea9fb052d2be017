"""An oracle that is not ours: pytorchcv's ARM, with its weights in the module by hand."""

import numpy as np
import pytest
import torch

from armlab import hand

bisenet = pytest.importorskip(
    "pytorchcv.models.bisenet", reason="install it with  pip install --no-deps pytorchcv==0.0.74"
)

# theirs: a 3×3 block conv1, global pooling, then a 1×1 block conv2
KEYS = {"conv1.conv": "conv.conv", "conv1.bn": "conv.bn", "conv2.conv": "conv_atten"}
KEYS |= {"conv2.bn": "bn_atten"}


def same(a, b):
    np.testing.assert_allclose(a, b.detach().numpy(), rtol=0, atol=1e-9)  # bounds.whole


def ours(key):
    block, _, name = key.rpartition(".")
    return f"{KEYS[block]}.{name}"


@pytest.mark.parametrize("training", [True, False])
def test_arm_of_the_repositories_equals_pytorchcv(training):
    torch.manual_seed(0)
    theirs = (
        bisenet.AttentionRefinementBlock(in_channels=7, out_channels=5).double().train(training)
    )
    with torch.no_grad():
        for t in theirs.state_dict().values():
            if t.is_floating_point():
                t.copy_(torch.rand(t.shape, dtype=torch.float64) + 0.5)
    arm = hand.AttentionRefinementModule(7, 5, "relu", dtype="float64").train(training)
    arm.load_state_dict({ours(k): t for k, t in theirs.state_dict().items()})

    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 7, 6, 4))
    t = torch.tensor(x, requires_grad=True)
    ty = theirs(t)
    y, backward = arm(x)
    dy = rng.standard_normal(y.shape)
    dx, grads = backward(dy)
    names, parameters = zip(*theirs.named_parameters(), strict=True)
    tdx, *tgrads = torch.autograd.grad(ty, [t, *parameters], torch.tensor(dy))

    same(y, ty)
    same(dx, tdx)
    for name, g in zip(names, tgrads, strict=True):
        same(grads[ours(name)], g)
    for key, t in theirs.state_dict().items():
        same(arm.state_dict()[ours(key)], t)


def compare(by_hand, theirs, keys, shape):
    """Output, input gradient and parameter gradients, from their weights in ours."""
    by_hand.load_state_dict(
        {ours: theirs.state_dict()[k].reshape(by_hand.state_dict()[ours].shape) for k, ours in keys}
    )
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
        same(grads[dict(keys)[name]], g.reshape(grads[dict(keys)[name]].shape))


def test_squeeze_excitation_equals_pytorchcv():
    from pytorchcv.models.common.att import SEBlock

    torch.manual_seed(0)
    theirs = SEBlock(channels=6, reduction=2, round_mid=False).double()
    keys = [(f"conv{i}.{p}", f"fc{i}.{p}") for i in (1, 2) for p in ("weight", "bias")]
    compare(hand.SqueezeExcitation(6, 2, dtype="float64"), theirs, keys, (2, 6, 5, 4))


@pytest.mark.parametrize("training", [True, False])
def test_cbam_equals_pytorchcv(training):
    from pytorchcv.models.cbamresnet import CbamBlock

    torch.manual_seed(0)
    theirs = CbamBlock(channels=6, reduction_ratio=2).double().train(training)
    fc = [
        (f"ch_gate.mlp.fc{i}.{p}", f"ch_gate.fc{i}.{p}") for i in (1, 2) for p in ("weight", "bias")
    ]
    bn = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    keys = [(f"ch_gate.mlp.{name}", f"ch_gate.{name}") for name in fc]
    keys += [("sp_gate.conv.conv.weight", "sp_gate.conv.weight")]
    keys += [(f"sp_gate.conv.bn.{p}", f"sp_gate.bn.{p}") for p in bn]
    compare(hand.CBAM(6, 2, dtype="float64").train(training), theirs, keys, (3, 6, 9, 8))
