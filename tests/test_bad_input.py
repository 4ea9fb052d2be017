"""Bad input: one sentence each, which names what was expected, what came and what to do."""

import re

import numpy as np
import pytest
import torch

from armlab import arrays, hand
from armlab.check.devices import strict_device, torch_tensors

X = np.random.default_rng(0).standard_normal((2, 3, 6, 5)).astype("f4")
W = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype("f4")
V3 = np.array([1.0, 2.0, 3.0], "f4")
LABELS = np.zeros((2, 6, 5), "i8")


def arm(*args, **kwargs):
    return hand.AttentionRefinementModule(*args, rng=0, **kwargs)


BAD = {
    # functions: rank, channels, dtype
    "conv2d, rank": (lambda: hand.conv2d(X[0], W), ValueError, r"conv2d expected \(N, C, H, W\), got \(3, 6, 5\).*4"),
    "conv2d, list": (lambda: hand.conv2d(X.tolist(), W), TypeError, r"got list: wrap it"),
    "conv2d, integers": (lambda: hand.conv2d(X.astype("i4"), W), TypeError, r"float32 or float64, got int32.*convert"),
    "conv2d, complex": (lambda: hand.conv2d(X.astype("c8"), W), TypeError, r"got complex64.*convert"),
    "conv2d, float16": (lambda: hand.conv2d(X.astype("f2"), W), TypeError, r"got float16.*convert"),
    "conv2d, mixed dtypes": (lambda: hand.conv2d(X, W.astype("f8")), TypeError, r"one dtype.*float32 and float64.*convert"),
    "conv2d, channels": (lambda: hand.conv2d(X[:, :2], W), ValueError, r"1 × 3 channels.*got x \(2, 2, 6, 5\).*agree"),
    "conv2d, groups": (lambda: hand.conv2d(X, W, groups=2), ValueError, r"groups=2: make them agree"),
    "conv2d, kernel too large": (lambda: hand.conv2d(X, W, dilation=3), ValueError, r"spans 7×7 pixels.*6×5.*larger input"),
    "conv2d, bias": (lambda: hand.conv2d(X, W, V3), ValueError, r"expected b as \(4,\).*got \(3,\)"),
    "conv2d, stride 0": (lambda: hand.conv2d(X, W, stride=0), ValueError, r"stride of at least 1.*got 0"),
    "conv2d, negative padding": (lambda: hand.conv2d(X, W, padding=-1), ValueError, r"padding of at least 0.*got -1"),
    "conv2d, no channels": (lambda: hand.conv2d(X[:, :0], W), ValueError, r"only the batch may be empty"),
    "conv2d, no rows": (lambda: hand.conv2d(X[:, :, :0], W), ValueError, r"only the batch may be empty"),
    "conv2d, kernel rank": (lambda: hand.conv2d(X, W[0]), ValueError, r"w as \(K, C/g, R, S\), got \(3, 3, 3\)"),
    "batch_norm, one value": (lambda: hand.batch_norm(X[:1, :, :1, :1], V3, V3), ValueError, r"Expected more than 1 value per channel when training, got input size \(1, 3, 1, 1\).*batch of at least 2.*eval"),
    "batch_norm, scale": (lambda: hand.batch_norm(X, V3[:2], V3), ValueError, r"expected w as \(3,\).*got \(2,\)"),
    "batch_norm, shift dtype": (lambda: hand.batch_norm(X, V3, V3.astype("f8")), TypeError, r"one dtype"),
    "batch_norm_eval, variance": (lambda: hand.batch_norm_eval(X, V3, V3, mean=V3, var=V3[:1]), ValueError, r"expected var as \(3,\)"),
    "relu, integers": (lambda: hand.relu(X.astype("i8")), TypeError, r"got int64"),
    "leaky_relu, slope 0": (lambda: hand.leaky_relu(X, slope=0.0), ValueError, r"0 < slope < 1, got 0.0: use relu"),
    "leaky_relu, slope 1": (lambda: hand.leaky_relu(X, slope=1.0), ValueError, r"0 < slope < 1, got 1.0"),
    "leaky_relu, slope 2": (lambda: hand.leaky_relu(X, slope=2.0), ValueError, r"got 2.0"),
    "sigmoid_gate, logits": (lambda: hand.sigmoid_gate(X, X[:, :2]), ValueError, r"broadcast to x \(2, 3, 6, 5\), got \(2, 2, 6, 5\).*length of x or 1"),
    "sigmoid_gate, rank": (lambda: hand.sigmoid_gate(X, V3), ValueError, r"got \(3,\)"),
    "sigmoid_gate, dtype": (lambda: hand.sigmoid_gate(X, X.astype("f8")), TypeError, r"float32 and float64"),
    "global_avg_pool, rank": (lambda: hand.global_avg_pool(X[0]), ValueError, r"got \(3, 6, 5\)"),
    "global_avg_pool, empty": (lambda: hand.global_avg_pool(X[:, :, :, :0]), ValueError, r"only the batch may be empty"),
    "channel_mean, rank": (lambda: hand.channel_mean(X[0]), ValueError, r"channel_mean expected"),
    "channel_max, empty": (lambda: hand.channel_max(X[:, :0]), ValueError, r"only the batch may be empty"),
    "max_pool2d, padding": (lambda: hand.max_pool2d(X, kernel_size=2, padding=2), ValueError, r"at most half of kernel_size=\(2, 2\), got \(2, 2\): pad less"),
    "max_pool2d, window": (lambda: hand.max_pool2d(X, kernel_size=9), ValueError, r"max_pool2d window spans 9×9"),
    "max_pool2d, kernel": (lambda: hand.max_pool2d(X, kernel_size=0), ValueError, r"kernel_size of at least 1"),
    "resize_bilinear, size": (lambda: hand.resize_bilinear(X, size=(0, 3)), ValueError, r"size of at least 1.*\(0, 3\)"),
    "resize_nearest, size": (lambda: hand.resize_nearest(X, size=(1, 2, 3)), ValueError, r"size of at least 1"),
    "cross_entropy, all ignored": (lambda: hand.cross_entropy(X, LABELS + 255), ValueError, r"every one of the 60 pixels is ignored.*leave this batch out"),
    "cross_entropy, label too large": (lambda: hand.cross_entropy(X, LABELS + 3), ValueError, r"labels 0 to 2 or 255 \(ignored\), got 3"),
    "cross_entropy, negative label": (lambda: hand.cross_entropy(X, LABELS - 1), ValueError, r"got -1"),
    "cross_entropy, float labels": (lambda: hand.cross_entropy(X, LABELS * 1.0), TypeError, r"integer dtype, got float64"),
    "cross_entropy, label shape": (lambda: hand.cross_entropy(X, LABELS[:, :3]), ValueError, r"labels as \(2, 6, 5\).*got \(2, 3, 5\).*resize"),
    "cross_entropy, weights": (lambda: hand.cross_entropy(X, LABELS, weight=V3[:2]), ValueError, r"weight as \(3,\)"),
    # modules
    "ARM, channels": (lambda: arm(8, 4)(X), ValueError, r"^AttentionRefinementModule expected \(N, 8, H, W\), got \(2, 3, 6, 5\): axis 1 is 3, the module was built with in_channels=8$"),
    "ARM, rank": (lambda: arm(3, 4)(X[0]), ValueError, r"AttentionRefinementModule expected.*3 axes"),
    "ARM, dtype": (lambda: arm(3, 4)(X.astype("f8")), TypeError, r"AttentionRefinementModule holds float32.*got float64.*convert x"),
    "ARM, batch of 1": (lambda: arm(3, 4)(X[:1]), ValueError, r"Expected more than 1 value per channel when training.*attention refinement.*batch of at least 2"),
    "ARM, torch tensor": (lambda: arm(3, 4)(torch.tensor(X)), TypeError, r"numpy on cpu, got float32 arrays of torch on cpu.*\.to\(device\)"),
    "ARM, activation": (lambda: arm(3, 4, "gelu"), ValueError, r"'relu' or 'leaky_relu', got 'gelu'"),
    "ARM, dtype argument": (lambda: arm(3, 4, dtype="float16"), TypeError, r"'float32' or 'float64', got 'float16'"),
    "paper's ARM, channels": (lambda: hand.PaperAttentionRefinement(4)(X), ValueError, r"PaperAttentionRefinement expected \(N, 4, H, W\).*channels=4"),
    "Conv2d, groups": (lambda: hand.Conv2d(3, 4, 1, groups=2), ValueError, r"divisible by groups=2.*in_channels=3"),
    "Conv2d, no channels": (lambda: hand.Conv2d(0, 4, 1), ValueError, r"in_channels=0"),
    "BatchNorm2d, channels": (lambda: hand.BatchNorm2d(5)(X), ValueError, r"BatchNorm2d expected \(N, 5, H, W\).*num_features=5"),
    "ToyNet, attention": (lambda: hand.ToyNet(attention="all"), ValueError, r"'none' or 'arm', got 'all'"),
    "ToyNet, grey image": (lambda: hand.ToyNet(rng=0)(X[:, :1]), ValueError, r"ToyNet expected \(N, 3, H, W\)"),
    "SE, reduction": (lambda: hand.SqueezeExcitation(4, 8), ValueError, r"reduction of 1 to 4.*got 8: reduce less"),
    "SE, channels": (lambda: hand.SqueezeExcitation(4, 2)(X), ValueError, r"SqueezeExcitation expected \(N, 4, H, W\).*channels=4"),
    "Attentionout, channels": (lambda: hand.Attentionout(4)(X), ValueError, r"Attentionout expected \(N, 4, H, W\)"),
    "SAR, channels": (lambda: hand.SAR(4, 2, 5)(X), ValueError, r"SAR expected \(N, 4, H, W\).*in_channels=4"),
    "global_max_pool, empty": (lambda: hand.global_max_pool(X[:, :, :0]), ValueError, r"only the batch may be empty"),
    "ECA, channels": (lambda: hand.ECA(4)(X), ValueError, r"ECA expected \(N, 4, H, W\).*channels=4"),
    "ECA, even kernel": (lambda: hand.ECA(4, 2), ValueError, r"odd kernel_size, got 2: add or take 1"),
    "channel_conv1d, not pooled": (lambda: hand.channel_conv1d(X, W[:1, :1, 0]), ValueError, r"z as \(N, C, 1, 1\), got \(2, 3, 6, 5\): pool"),
    "channel_conv1d, two kernels": (lambda: hand.channel_conv1d(X[:, :, :1, :1], W[:2, :1, 0]), ValueError, r"w as \(1, 1, R\) with R odd, got \(2, 1, 3\): reshape"),
    "channel_conv1d, kernel": (lambda: hand.channel_conv1d(X[:, :, :1, :1], W[:1, :1, 0, :2]), ValueError, r"R odd, got \(1, 1, 2\)"),
    "CBAM, reduction": (lambda: hand.CBAM(4, 5), ValueError, r"CBAMChannel expected a reduction of 1 to 4.*got 5"),
    "CBAM, even kernel": (lambda: hand.CBAMSpatial(4), ValueError, r"CBAMSpatial expected an odd kernel_size, got 4"),
    "CBAM, one pixel": (lambda: hand.CBAMSpatial()(X[:1, :, :1, :1]), ValueError, r"more than 1 value per channel"),
    "strip_mean, axis": (lambda: hand.strip_mean(X, axis=1), ValueError, r"strip_mean expected axis 2 \(columns\) or 3 \(rows\), got 1: choose"),
    "strip_mean, rank": (lambda: hand.strip_mean(X[0], axis=2), ValueError, r"strip_mean expected \(N, C, H, W\), got \(3, 6, 5\)"),
    "hard_swish, integers": (lambda: hand.hard_swish(X.astype("i4")), TypeError, r"float32 or float64, got int32.*convert"),
    "simam_logits, lambda": (lambda: hand.simam_logits(X, lambda_=0.0), ValueError, r"lambda_ > 0, got 0.0: the paper has 1e-4"),
    "SimAM, one pixel": (lambda: hand.SimAM()(X[:, :, :1, :1]), ValueError, r"at least 2 positions, got \(2, 3, 1, 1\): one value has no variance"),
    "SimAM, rank": (lambda: hand.SimAM()(X[0]), ValueError, r"simam_logits expected \(N, C, H, W\), got \(3, 6, 5\)"),
    "coordinate attention, channels": (lambda: hand.CoordinateAttention(4)(X), ValueError, r"CoordinateAttention expected \(N, 4, H, W\).*channels=4"),
    "UAFM, channels": (lambda: hand.UAFMSpatial()(X[:, :2], X), ValueError, r"UAFMSpatial expected high and low of one batch and as many channels, got \(2, 2, 6, 5\) and \(2, 3, 6, 5\): project"),
    "UAFM, batches": (lambda: hand.UAFMSpatial()(X[:1], X), ValueError, r"one batch.*got \(1, 3, 6, 5\) and \(2, 3, 6, 5\)"),
    "UAFM, rank of low": (lambda: hand.UAFMSpatial()(X, X[0]), ValueError, r"UAFMSpatial expected \(N, C, H, W\), got \(3, 6, 5\)"),
    "UAFM, dtypes": (lambda: hand.UAFMSpatial()(X, X.astype("f8")), TypeError, r"one dtype.*float32 and float64"),
    "UAFMChannel, channels": (lambda: hand.UAFMChannel(4)(X, X), ValueError, r"UAFMChannel expected \(N, 4, H, W\).*channels=4"),
    "UAFMChannel, low's channels": (lambda: hand.UAFMChannel(3)(X, X[:, :2]), ValueError, r"UAFMChannel expected high and low.*\(2, 2, 6, 5\)"),
    "UAFMChannel, reduction": (lambda: hand.UAFMChannel(3, 4), ValueError, r"UAFMChannel expected a reduction of 1 to 3.*got 4"),
    "UAFMChannel, batch of 1": (lambda: hand.UAFMChannel(3)(X[:1], X[:1]), ValueError, r"more than 1 value per channel"),
    "eSE, dtype": (lambda: hand.EffectiveSE(3)(X.astype("f8")), TypeError, r"EffectiveSE holds float32.*got float64"),
    "concat_channels, sizes": (lambda: hand.concat_channels(X, X[:, :, :4]), ValueError, r"x2 as \(2, C, 6, 5\) like x1, got \(2, 3, 4, 5\): resize"),
    "concat_channels, dtype": (lambda: hand.concat_channels(X, X.astype("f8")), TypeError, r"one dtype"),
    "FFM, channels": (lambda: hand.FeatureFusionModule(7, 4)(X, X), ValueError, r"FeatureFusionModule expected \(N, 7, H, W\), got \(2, 6, 6, 5\).*in_channels=7"),
    "FFM, sizes": (lambda: hand.FeatureFusionModule(6, 4)(X, X[:, :, :, :3]), ValueError, r"got \(2, 3, 6, 3\): resize one to the other"),
    "FFM, reduction": (lambda: hand.FeatureFusionModule(6, 4, 5), ValueError, r"reduction of 1 to 4.*got 5: reduce less"),
    "single-layer FFM, batch of 1": (lambda: hand.SingleLayerFeatureFusion(6, 4)(X[:1], X[:1]), ValueError, r"more than 1 value per channel"),
    "BasicBlock, channels": (lambda: hand.BasicBlock(4, 5)(X), ValueError, r"BasicBlock expected \(N, 4, H, W\).*in_channels=4"),
    "BiSeNet, grey image": (lambda: hand.ToyBiSeNet(rng=0)(X[:, :1]), ValueError, r"ContextPath expected \(N, 3, H, W\), got \(2, 1, 6, 5\)"),
    "BiSeNet, batch of 1": (lambda: hand.ToyBiSeNet(width=2, rng=0)(X[:1]), ValueError, r"more than 1 value per channel.*batch of at least 2"),
    "BiSeNet, missing gradient": (lambda: hand.ToyBiSeNet(width=2, rng=0)(X)[1]((X, X)), ValueError, r"expected 3 gradients.*got 2.*one for each output"),
    # state
    "load, missing key": (lambda: arm(3, 4).load_state_dict({}), ValueError, r"missing conv.conv.weight; missing conv.bn.weight.*arguments"),
    "load, unexpected key": (lambda: hand.Conv2d(3, 4, 1).load_state_dict({"weight": W[:, :, :1, :1], "bias": V3, "extra": V3}), ValueError, r"unexpected extra; bias is \(3,\), not \(4,\)"),
    "assign, unknown key": (lambda: hand.Conv2d(3, 4, 1).assign({"wieght": W}), KeyError, r"Conv2d has no array 'wieght'"),
    "assign, shape": (lambda: hand.Conv2d(3, 4, 1).assign({"bias": V3}), ValueError, r"expected bias as float32 \(4,\), got float32 \(3,\)"),
    "assign, dtype": (lambda: hand.Conv2d(3, 3, 1).assign({"bias": V3.astype("f8")}), ValueError, r"got float64 \(3,\)"),
    # devices
    "device, unknown": (lambda: arrays.place("gpu"), ValueError, r"'cpu', 'cuda' or 'cuda:N', got 'gpu'"),
    "device, bad index": (lambda: arrays.place("cuda:x"), ValueError, r"got 'cuda:x'"),
    "libraries mixed": (lambda: hand.sigmoid_gate(X, torch.tensor(X)), TypeError, r"one library, got numpy and torch: move them"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_clear_sentence(name):
    call, error, pattern = BAD[name]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value.args[0])
    assert re.search(pattern, message), message
    assert "\n" not in message


def test_devices_mixed():
    with strict_device() as where:
        here = where.xp.asarray(X)
        there = where.asarray(X)
        with pytest.raises(ValueError, match=r"one device, got .* and .*: move the module"):
            hand.sigmoid_gate(here, there)


def test_cuda_without_a_gpu(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match=r"needs CuPy, which is not installed: .*pip install"):
        arrays.place("cuda")


def test_cuda_without_a_driver():
    cupy = pytest.importorskip("cupy", reason="cupy-cuda12x is not installed on this platform")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        with pytest.raises(RuntimeError, match=r"needs an NVIDIA GPU and its driver.*nvidia-smi"):
            hand.Conv2d(3, 4, 1, device="cuda")
    else:
        pytest.skip("a GPU answers here")


def test_nothing_is_lost_when_an_assignment_is_refused():
    net = arm(3, 4)
    before = net.state_dict()
    with pytest.raises(ValueError, match="missing"):
        net.load_state_dict({k: v for k, v in before.items() if k != "bn_atten.weight"})
    with pytest.raises(ValueError, match=r"expected conv_atten\.weight"):
        net.assign({"conv.bn.bias": V3[[0, 1, 2, 0]], "conv_atten.weight": V3})
    for key, a in net.state_dict().items():
        np.testing.assert_array_equal(a, before[key])


def test_messages_do_not_depend_on_the_library():
    where = torch_tensors()
    with pytest.raises(ValueError, match=r"axis 1 is 3, the module was built with in_channels=8"):
        arm(8, 4).to(where)(where.asarray(X))
