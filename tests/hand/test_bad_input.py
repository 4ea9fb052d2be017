"""Bad input: one sentence each, which names what was expected, what came and what to do."""

import contextlib
import inspect
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from test_contracts import BUILT, inputs_of

from armlab import hand, places
from armlab.check.devices import strict_device, torch_tensors

X = np.random.default_rng(0).standard_normal((2, 3, 6, 5)).astype("f4")
W = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype("f4")
V3 = np.array([1.0, 2.0, 3.0], "f4")
LABELS = np.zeros((2, 6, 5), "i8")


def arm(*args, **kwargs):
    return hand.AttentionRefinementModule(*args, rng=0, **kwargs)


# What a message has to say: each pattern asks for the argument, the value and the remedy.


def rank(name, channels="C"):
    return rf"^{name} expected \(N, {channels}, H, W\), got \(3, 6, 5\): x has 3 axes, give it 4"


def empty(name, got):
    return rf"^{name} expected \(N, C, H, W\), got {got}: only the batch may be empty, give C, H and W at least 1"


def channels(name, built_with):
    n = built_with.split("=")[1]
    return rf"^{name} expected \(N, {n}, H, W\), got \(2, 3, 6, 5\): axis 1 is 3, the module was built with {built_with}$"


def dtype(got):
    return rf"expected arrays of one dtype, float32 or float64, got {got}: convert"


def pair(name, least, got):
    return rf"expected {name} of at least {least}, an int or two, got {got}: give {least} to \d+, once or"


def whole(name, argument, got):
    return (
        rf"^{name} expected {argument} as a whole number of at least 1, got {got}: give 1 or more$"
    )


def reduction(name, most, got):
    return rf"^{name} expected a reduction of 1 to {most} \(its channels\), got {got}: reduce less"


def one_value(channels):
    return rf"^Expected more than 1 value per channel when training, got input size \(1, {channels}, 1, 1\)\. An attention refinement module .* needs a batch of at least 2: use a larger batch.* eval\(\)"


MIXED = dtype("float32 and float64")

BAD = {
    # functions: rank, channels, dtype
    "conv2d, rank": (lambda: hand.conv2d(X[0], W), ValueError, rank("conv2d")),
    "conv2d, list": (lambda: hand.conv2d(X.tolist(), W), TypeError, r"expected an array, got list: wrap it"),
    "conv2d, integers": (lambda: hand.conv2d(X.astype("i4"), W), TypeError, dtype("int32")),
    "conv2d, complex": (lambda: hand.conv2d(X.astype("c8"), W), TypeError, dtype("complex64")),
    "conv2d, float16": (lambda: hand.conv2d(X.astype("f2"), W), TypeError, dtype("float16")),
    "conv2d, mixed dtypes": (lambda: hand.conv2d(X, W.astype("f8")), TypeError, MIXED),
    "conv2d, channels": (lambda: hand.conv2d(X[:, :2], W), ValueError, r"conv2d expected x with 1 × 3 channels .*, got x \(2, 2, 6, 5\), w \(4, 3, 3, 3\), groups=1: make them agree"),
    "conv2d, groups": (lambda: hand.conv2d(X, W, groups=2), ValueError, r"conv2d expected .* 4 output channels divisible by groups, got x \(2, 3, 6, 5\), .*, groups=2: make them agree"),
    "conv2d, no groups": (lambda: hand.conv2d(X, W, groups=0), ValueError, r"conv2d expected .*, groups=0: make them agree"),
    "conv2d, output channels": (lambda: hand.conv2d(X, W[:, :1], groups=3), ValueError, r"conv2d expected .* 4 output channels divisible by groups, .*, groups=3: make them agree"),
    "conv2d, kernel too large": (lambda: hand.conv2d(X, W, dilation=3), ValueError, r"^conv2d kernel spans 7×7 pixels and the padded input has 6×5 .*: use a larger input"),
    "conv2d, kernel too large, in groups": (lambda: hand.conv2d(X, W[:3, :1], groups=3, dilation=3), ValueError, r"^conv2d kernel spans 7×7 pixels and the padded input has 6×5 .*: use a larger input"),
    "conv2d, bias": (lambda: hand.conv2d(X, W, V3), ValueError, r"^conv2d expected b as \(4,\), .*, got \(3,\): give it 4 values"),
    "conv2d, stride 0": (lambda: hand.conv2d(X, W, stride=0), ValueError, pair("stride", 1, "0")),
    "conv2d, negative padding": (lambda: hand.conv2d(X, W, padding=-1), ValueError, pair("padding", 0, "-1")),
    "conv2d, dilation 0": (lambda: hand.conv2d(X, W, dilation=0), ValueError, pair("dilation", 1, "0")),
    "conv2d, fraction of a pixel": (lambda: hand.conv2d(X, W, padding=1.5), ValueError, pair("padding", 0, "1.5")),
    "conv2d, no channels": (lambda: hand.conv2d(X[:, :0], W), ValueError, empty("conv2d", r"\(2, 0, 6, 5\)")),
    "conv2d, no rows": (lambda: hand.conv2d(X[:, :, :0], W), ValueError, empty("conv2d", r"\(2, 3, 0, 5\)")),
    "conv2d, kernel rank": (lambda: hand.conv2d(X, W[0]), ValueError, r"^conv2d expected w as \(K, C/g, R, S\), got \(3, 3, 3\): give 4 axes"),
    "batch_norm, one value": (lambda: hand.batch_norm(X[:1, :, :1, :1], V3, V3), ValueError, one_value(3)),
    "batch_norm, scale": (lambda: hand.batch_norm(X, V3[:2], V3), ValueError, r"^batch_norm expected w as \(3,\), .*, got \(2,\): give it 3 values"),
    "batch_norm, shift dtype": (lambda: hand.batch_norm(X, V3, V3.astype("f8")), TypeError, MIXED),
    "batch_norm_eval, variance": (lambda: hand.batch_norm_eval(X, V3, V3, mean=V3, var=V3[:1]), ValueError, r"^batch_norm_eval expected var as \(3,\), .*, got \(1,\): give it 3 values"),
    "relu, integers": (lambda: hand.relu(X.astype("i8")), TypeError, dtype("int64")),
    "leaky_relu, slope 0": (lambda: hand.leaky_relu(X, slope=0.0), ValueError, r"leaky_relu expected 0 < slope < 1, got 0.0: use relu"),
    "leaky_relu, slope 1": (lambda: hand.leaky_relu(X, slope=1.0), ValueError, r"leaky_relu expected 0 < slope < 1, got 1.0: "),
    "leaky_relu, slope 2": (lambda: hand.leaky_relu(X, slope=2.0), ValueError, r"leaky_relu expected 0 < slope < 1, got 2.0: "),
    "sigmoid_gate, logits": (lambda: hand.sigmoid_gate(X, X[:, :2]), ValueError, r"^sigmoid_gate expected logits a that broadcast to x \(2, 3, 6, 5\), got \(2, 2, 6, 5\): give each axis the length of x or 1"),
    "sigmoid_gate, rank": (lambda: hand.sigmoid_gate(X, V3), ValueError, r"^sigmoid_gate expected logits a .*, got \(3,\): give each axis the length of x or 1"),
    "sigmoid_gate, dtype": (lambda: hand.sigmoid_gate(X, X.astype("f8")), TypeError, MIXED),
    "global_avg_pool, rank": (lambda: hand.global_avg_pool(X[0]), ValueError, rank("global_avg_pool")),
    "global_avg_pool, empty": (lambda: hand.global_avg_pool(X[:, :, :, :0]), ValueError, empty("global_avg_pool", r"\(2, 3, 6, 0\)")),
    "channel_mean, rank": (lambda: hand.channel_mean(X[0]), ValueError, rank("channel_mean")),
    "channel_max, empty": (lambda: hand.channel_max(X[:, :0]), ValueError, empty("channel_max", r"\(2, 0, 6, 5\)")),
    "max_pool2d, padding": (lambda: hand.max_pool2d(X, kernel_size=2, padding=2), ValueError, r"^max_pool2d expected padding of at most half of kernel_size=\(2, 2\), got \(2, 2\): pad less"),
    "max_pool2d, window": (lambda: hand.max_pool2d(X, kernel_size=9), ValueError, r"^max_pool2d window spans 9×9 pixels and the padded input has 6×5 .*: use a larger input"),
    "max_pool2d, kernel": (lambda: hand.max_pool2d(X, kernel_size=0), ValueError, pair("kernel_size", 1, "0")),
    "resize_bilinear, size": (lambda: hand.resize_bilinear(X, size=(0, 3)), ValueError, pair("size", 1, r"\(0, 3\)")),
    "resize_nearest, size": (lambda: hand.resize_nearest(X, size=(1, 2, 3)), ValueError, pair("size", 1, r"\(1, 2, 3\)")),
    "cross_entropy, all ignored": (lambda: hand.cross_entropy(X, LABELS + 255), ValueError, r"every one of the 60 pixels is ignored \(label 255\), .*: leave this batch out or check ignore_index"),
    "cross_entropy, label too large": (lambda: hand.cross_entropy(X, LABELS + 3), ValueError, r"expected labels 0 to 2 or 255 \(ignored\), got 3: check the number of classes and ignore_index"),
    "cross_entropy, negative label": (lambda: hand.cross_entropy(X, LABELS - 1), ValueError, r"expected labels 0 to 2 or 255 \(ignored\), got -1: check"),
    "cross_entropy, float labels": (lambda: hand.cross_entropy(X, LABELS * 1.0), TypeError, r"expected labels of an integer dtype, got float64: convert them"),
    "cross_entropy, label shape": (lambda: hand.cross_entropy(X, LABELS[:, :3]), ValueError, r"^cross_entropy expected labels as \(2, 6, 5\), .*, got \(2, 3, 5\): resize"),
    "cross_entropy, weights": (lambda: hand.cross_entropy(X, LABELS, weight=V3[:2]), ValueError, r"^cross_entropy expected weight as \(3,\), .*, got \(2,\): give it 3 values"),
    # modules
    "ARM, channels": (lambda: arm(8, 4)(X), ValueError, channels("AttentionRefinementModule", "in_channels=8")),
    "ARM, rank": (lambda: arm(3, 4)(X[0]), ValueError, rank("AttentionRefinementModule", 3)),
    "ARM, dtype": (lambda: arm(3, 4)(X.astype("f8")), TypeError, r"^AttentionRefinementModule holds float32 arrays .*, got float64 .*: convert x"),
    "ARM, batch of 1": (lambda: arm(3, 4)(X[:1]), ValueError, one_value(4)),
    "ARM, torch tensor": (lambda: arm(3, 4)(torch.tensor(X)), TypeError, r"^AttentionRefinementModule holds float32 arrays of numpy on cpu, got float32 arrays of torch on cpu: .*\.to\(device\)"),
    "ARM, activation": (lambda: arm(3, 4, "gelu"), ValueError, r"^ConvBNAct expected activation 'relu' or 'leaky_relu', got 'gelu': choose"),
    "ARM, dtype argument": (lambda: arm(3, 4, dtype="float16"), TypeError, r"expected dtype 'float32' or 'float64', got 'float16': choose"),
    "paper's ARM, channels": (lambda: hand.PaperAttentionRefinement(4)(X), ValueError, channels("PaperAttentionRefinement", "channels=4")),
    "Conv2d, groups": (lambda: hand.Conv2d(3, 4, 1, groups=2), ValueError, r"^Conv2d expected channels divisible by groups=2, got in_channels=3, out_channels=4: choose a common divisor"),
    "Conv2d, no channels": (lambda: hand.Conv2d(0, 4, 1), ValueError, whole("Conv2d", "in_channels", "0")),
    "Conv2d, no outputs": (lambda: hand.Conv2d(4, -2, 1), ValueError, whole("Conv2d", "out_channels", "-2")),
    "Conv2d, no groups": (lambda: hand.Conv2d(3, 4, 1, groups=0), ValueError, whole("Conv2d", "groups", "0")),
    "Conv2d, half a channel": (lambda: hand.Conv2d(2.5, 4, 1), ValueError, whole("Conv2d", "in_channels", "2.5")),
    "Conv2d, a word": (lambda: hand.Conv2d(3, "4", 1), ValueError, whole("Conv2d", "out_channels", "'4'")),
    "Conv2d, groups of the outputs": (lambda: hand.Conv2d(4, 3, 1, groups=2), ValueError, r"^Conv2d expected channels divisible by groups=2, got in_channels=4, out_channels=3: choose a common divisor"),
    "Conv2d, kernel": (lambda: hand.Conv2d(3, 4, 0), ValueError, pair("kernel_size", 1, "0")),
    "Conv2d, kernel, one axis": (lambda: hand.Conv2d(3, 4, (3, 0)), ValueError, pair("kernel_size", 1, r"\(3, 0\)")),
    "Conv2d, stride": (lambda: hand.Conv2d(3, 4, 1, stride=0.5), ValueError, pair("stride", 1, "0.5")),
    "Conv2d, padding": (lambda: hand.Conv2d(3, 4, 1, padding="same"), ValueError, pair("padding", 0, "'same'")),
    "Conv2d, dilation": (lambda: hand.Conv2d(3, 4, 1, dilation=(1, 0)), ValueError, pair("dilation", 1, r"\(1, 0\)")),
    "BatchNorm2d, no channels": (lambda: hand.BatchNorm2d(0), ValueError, whole("BatchNorm2d", "num_features", "0")),
    "BatchNorm2d, eps": (lambda: hand.BatchNorm2d(3, eps=-1e-5), ValueError, r"^BatchNorm2d expected eps finite, from 0 on, got -1e-05: give a number within$"),
    "BatchNorm2d, momentum": (lambda: hand.BatchNorm2d(3, momentum=1.1), ValueError, r"^BatchNorm2d expected momentum from 0 to 1, got 1\.1: give a number within$"),
    "BatchNorm2d, negative momentum": (lambda: hand.BatchNorm2d(3, momentum=-0.1), ValueError, r"^BatchNorm2d expected momentum from 0 to 1, got -0\.1: give a number within$"),
    "BatchNorm2d, no momentum": (lambda: hand.BatchNorm2d(3, momentum=None), ValueError, r"^BatchNorm2d expected momentum from 0 to 1, got None: give a number within$"),
    "BiSeNet, one number for its heads": (lambda: hand.BiSeNet(mid_channels=64), ValueError, r"^BiSeNet expected mid_channels as two whole numbers, .*, got 64: give two, as in \(256, 64\)$"),
    "BiSeNet, three heads": (lambda: hand.BiSeNet(mid_channels=(1, 2, 3)), ValueError, r"^BiSeNet expected mid_channels as two whole numbers, .*, got \(1, 2, 3\): give two"),
    "SinglePathBiSeNet, one number for its heads": (lambda: hand.SinglePathBiSeNet(mid_channels=64), ValueError, r"^SinglePathBiSeNet expected mid_channels as two whole numbers, .*, got 64: give two"),
    "ContextPath, another mode": (lambda: hand.ContextPath(2, mode="bicubic"), ValueError, r"^ContextPath expected mode 'nearest' or 'bilinear', got 'bicubic': choose one of them$"),
    "BiSeNet, an empty head": (lambda: hand.BiSeNet(mid_channels=(4, 0)), ValueError, whole("BiSeNet", "mid_channels", "0")),
    "BiSeNet, no width": (lambda: hand.BiSeNet(width=None), ValueError, whole("BiSeNet", "width", "None")),
    "BiSeNet, no classes": (lambda: hand.BiSeNet(0), ValueError, whole("BiSeNet", "classes", "0")),
    "BiSeNet, reduction": (lambda: hand.BiSeNet(width=2, reduction=0), ValueError, whole("FeatureFusionModule", "reduction", "0")),
    "ToyBiSeNet, width": (lambda: hand.ToyBiSeNet(width="8"), ValueError, whole("ToyBiSeNet", "width", "'8'")),
    "ThreeScaleBiSeNet, width": (lambda: hand.ThreeScaleBiSeNet(width=0.5), ValueError, whole("ThreeScaleBiSeNet", "width", "0.5")),
    "ContextPath, width": (lambda: hand.ContextPath(None), ValueError, whole("ContextPath", "width", "None")),
    "ThreeScaleContextPath, width": (lambda: hand.ThreeScaleContextPath(-1), ValueError, whole("ThreeScaleContextPath", "width", "-1")),
    "ResNet18, width": (lambda: hand.ResNet18("64"), ValueError, whole("ResNet18", "width", "'64'")),
    "SpatialPath, width": (lambda: hand.SpatialPath(None), ValueError, whole("SpatialPath", "width", "None")),
    "BasicBlock, stride": (lambda: hand.BasicBlock(3, 4, (1, 1)), ValueError, whole("BasicBlock", "stride", r"\(1, 1\)")),
    "ToyNet, one channel": (lambda: hand.ToyNet(channels=1), ValueError, r"^ToyNet expected channels of at least 2, got 1: its first layer has half of them$"),
    "ToyNet, classes": (lambda: hand.ToyNet(classes=None), ValueError, whole("ToyNet", "classes", "None")),
    "UAFMChannel, a word": (lambda: hand.UAFMChannel("4"), ValueError, whole("UAFMChannel", "channels", "'4'")),
    "SimAM, lambda": (lambda: hand.SimAM(-1), ValueError, r"^SimAM expected lambda_ > 0, got -1: the paper has 1e-4$"),
    "SimAM, no number": (lambda: hand.SimAM(float("nan")), ValueError, r"^SimAM expected lambda_ > 0, got nan: the paper has 1e-4$"),
    "SimAM, a word": (lambda: hand.SimAM("1e-4"), ValueError, r"^SimAM expected lambda_ > 0, got '1e-4': the paper has 1e-4$"),
    "BatchNorm2d, channels": (lambda: hand.BatchNorm2d(5)(X), ValueError, channels("BatchNorm2d", "num_features=5")),
    "ToyNet, attention": (lambda: hand.ToyNet(attention="all"), ValueError, r"^refinement expected attention 'none', 'arm', 'paper-arm', .*, 'sar', got 'all': choose"),
    "ConvAttention, attention": (lambda: hand.ConvAttention(3, 4, "arm"), ValueError, r"^ConvAttention expected attention 'paper-arm', 'se', .*, 'listed-sar', got 'arm': choose"),
    "ToyNet, grey image": (lambda: hand.ToyNet(rng=0)(X[:, :1]), ValueError, r"^ToyNet expected \(N, 3, H, W\), got \(2, 1, 6, 5\): axis 1 is 1, give it images of 3 channels"),
    "SE, reduction": (lambda: hand.SqueezeExcitation(4, 8), ValueError, reduction("SqueezeExcitation", 4, 8)),
    "SE, no reduction": (lambda: hand.SqueezeExcitation(4, 0), ValueError, whole("SqueezeExcitation", "reduction", "0")),
    "SE, no channels": (lambda: hand.SqueezeExcitation(0, 1), ValueError, whole("SqueezeExcitation", "channels", "0")),
    "SE, channels": (lambda: hand.SqueezeExcitation(4, 2)(X), ValueError, channels("SqueezeExcitation", "channels=4")),
    "Attentionout, channels": (lambda: hand.Attentionout(4)(X), ValueError, channels("Attentionout", "channels=4")),
    "SAR, channels": (lambda: hand.SAR(4, 2, 5)(X), ValueError, channels("SAR", "in_channels=4")),
    "global_max_pool, empty": (lambda: hand.global_max_pool(X[:, :, :0]), ValueError, empty("global_max_pool", r"\(2, 3, 0, 5\)")),
    "ECA, channels": (lambda: hand.ECA(4)(X), ValueError, channels("ECA", "channels=4")),
    "ECA, even kernel": (lambda: hand.ECA(4, 2), ValueError, r"^ChannelConv1d expected an odd kernel_size, got 2: add or take 1"),
    "ECA, no kernel": (lambda: hand.ECA(4, 0), ValueError, whole("ChannelConv1d", "kernel_size", "0")),
    "ECA, half a channel": (lambda: hand.ECA(2.5), ValueError, whole("ECA", "channels", "2.5")),
    "channel_conv1d, not pooled": (lambda: hand.channel_conv1d(X, W[:1, :1, 0]), ValueError, r"^channel_conv1d expected z as \(N, C, 1, 1\), got \(2, 3, 6, 5\): pool it first"),
    "channel_conv1d, two kernels": (lambda: hand.channel_conv1d(X[:, :, :1, :1], W[:2, :1, 0]), ValueError, r"^channel_conv1d expected w as \(1, 1, R\) with R odd, got \(2, 1, 3\): reshape it"),
    "channel_conv1d, kernel": (lambda: hand.channel_conv1d(X[:, :, :1, :1], W[:1, :1, 0, :2]), ValueError, r"^channel_conv1d expected w as \(1, 1, R\) with R odd, got \(1, 1, 2\): reshape it"),
    "CBAM, reduction": (lambda: hand.CBAM(4, 5), ValueError, reduction("CBAMChannel", 4, 5)),
    "CBAM, even kernel": (lambda: hand.CBAMSpatial(4), ValueError, r"^CBAMSpatial expected an odd kernel_size, got 4: add or take 1"),
    "CBAM, no kernel": (lambda: hand.CBAMSpatial(-1), ValueError, whole("CBAMSpatial", "kernel_size", "-1")),
    "CBAM, one pixel": (lambda: hand.CBAMSpatial()(X[:1, :, :1, :1]), ValueError, one_value(1)),
    "strip_mean, axis": (lambda: hand.strip_mean(X, axis=1), ValueError, r"^strip_mean expected axis 2 \(columns\) or 3 \(rows\), got 1: choose"),
    "strip_mean, rank": (lambda: hand.strip_mean(X[0], axis=2), ValueError, rank("strip_mean")),
    "hard_swish, integers": (lambda: hand.hard_swish(X.astype("i4")), TypeError, dtype("int32")),
    "simam_logits, lambda": (lambda: hand.simam_logits(X, lambda_=0.0), ValueError, r"^simam_logits expected lambda_ > 0, got 0.0: the paper has 1e-4"),
    "SimAM, one pixel": (lambda: hand.SimAM()(X[:, :, :1, :1]), ValueError, r"^simam_logits expected at least 2 positions, got \(2, 3, 1, 1\): .* leave SimAM out"),
    "SimAM, rank": (lambda: hand.SimAM()(X[0]), ValueError, rank("simam_logits")),
    "coordinate attention, channels": (lambda: hand.CoordinateAttention(4)(X), ValueError, channels("CoordinateAttention", "channels=4")),
    "coordinate attention, reduction": (lambda: hand.CoordinateAttention(4, 0), ValueError, whole("CoordinateAttention", "reduction", "0")),
    "coordinate attention, no channels": (lambda: hand.CoordinateAttention(0), ValueError, whole("CoordinateAttention", "channels", "0")),
    "UAFM, channels": (lambda: hand.UAFMSpatial()(X[:, :2], X), ValueError, r"^UAFMSpatial expected high and low of one batch and as many channels, got \(2, 2, 6, 5\) and \(2, 3, 6, 5\): project"),
    "UAFM, batches": (lambda: hand.UAFMSpatial()(X[:1], X), ValueError, r"^UAFMSpatial expected high and low of one batch .*, got \(1, 3, 6, 5\) and \(2, 3, 6, 5\): project"),
    "UAFM, rank of high": (lambda: hand.UAFMSpatial()(X[0], X), ValueError, rank("UAFMSpatial")),
    "UAFM, rank of low": (lambda: hand.UAFMSpatial()(X, X[0]), ValueError, rank("UAFMSpatial")),
    "UAFM, dtypes": (lambda: hand.UAFMSpatial()(X, X.astype("f8")), TypeError, MIXED),
    "UAFMChannel, channels": (lambda: hand.UAFMChannel(4)(X, X), ValueError, channels("UAFMChannel", "channels=4")),
    "UAFMChannel, low's channels": (lambda: hand.UAFMChannel(3)(X, X[:, :2]), ValueError, r"^UAFMChannel expected high and low .*, got \(2, 3, 6, 5\) and \(2, 2, 6, 5\): project"),
    "UAFMChannel, reduction": (lambda: hand.UAFMChannel(3, 4), ValueError, reduction("UAFMChannel", 3, 4)),
    "UAFMChannel, batch of 1": (lambda: hand.UAFMChannel(3)(X[:1], X[:1]), ValueError, one_value(1)),
    "eSE, dtype": (lambda: hand.EffectiveSE(3)(X.astype("f8")), TypeError, r"^EffectiveSE holds float32 arrays .*, got float64 .*: convert x"),
    "add, shapes": (lambda: hand.add(X, X[:, :2]), ValueError, r"^add expected x2 to repeat to the shape of x1 \(2, 3, 6, 5\), got \(2, 2, 6, 5\): give each axis the length of x1 or 1"),
    "add, the long map second": (lambda: hand.add(X[:, :1], X), ValueError, r"^add expected x2 to repeat to the shape of x1 \(2, 1, 6, 5\), got \(2, 3, 6, 5\)"),
    "subtract, axes": (lambda: hand.subtract(X, X[0]), ValueError, r"^subtract expected x2 to repeat to the shape of x1 \(2, 3, 6, 5\), got \(3, 6, 5\)"),
    "add, dtype": (lambda: hand.add(X, X.astype("f8")), TypeError, MIXED),
    "join_strips, no strips": (lambda: hand.join_strips(X, X), ValueError, r"^join_strips expected rows \(N, C, H, 1\) and columns \(N, C, 1, W\) of one batch .*, got \(2, 3, 6, 5\) and \(2, 3, 6, 5\): take them from `strip_mean`"),
    "join_strips, channels": (lambda: hand.join_strips(X[:, :, :, :1], X[:, :2, :1]), ValueError, r"^join_strips expected rows .* got \(2, 3, 6, 1\) and \(2, 2, 1, 5\)"),
    "split_strips, too many rows": (lambda: hand.split_strips(X[:, :, :, :1], height=6), ValueError, r"^split_strips expected x .* with 0 < height < H \+ W, got \(2, 3, 6, 1\) and height=6: give it what `join_strips` made"),
    "split_strips, no strip": (lambda: hand.split_strips(X, height=2), ValueError, r"^split_strips expected x .* got \(2, 3, 6, 5\)"),
    "stride, no axes": (lambda: hand.Conv2d(3, 4, 3, stride=np.array(2)), ValueError, pair("stride", 1, r"array\(2\)")),
    "concat_channels, sizes": (lambda: hand.concat_channels(X, X[:, :, :4]), ValueError, r"^concat_channels expected x2 as \(2, C, 6, 5\) like x1, got \(2, 3, 4, 5\): resize"),
    "concat_channels, dtype": (lambda: hand.concat_channels(X, X.astype("f8")), TypeError, MIXED),
    "FFM, channels": (lambda: hand.FeatureFusionModule(7, 4)(X, X), ValueError, r"^FeatureFusionModule expected \(N, 7, H, W\), got \(2, 6, 6, 5\): axis 1 is 6, the module was built with in_channels=7$"),
    "FFM, sizes": (lambda: hand.FeatureFusionModule(6, 4)(X, X[:, :, :, :3]), ValueError, r"^concat_channels expected x2 as \(2, C, 6, 5\) like x1, got \(2, 3, 6, 3\): resize"),
    "FFM, reduction": (lambda: hand.FeatureFusionModule(6, 4, 5), ValueError, reduction("FeatureFusionModule", 4, 5)),
    "single-layer FFM, batch of 1": (lambda: hand.SingleLayerFeatureFusion(6, 4)(X[:1], X[:1]), ValueError, one_value(4)),
    "BasicBlock, channels": (lambda: hand.BasicBlock(4, 5)(X), ValueError, channels("BasicBlock", "in_channels=4")),
    "BiSeNet, grey image": (lambda: hand.ToyBiSeNet(rng=0)(X[:, :1]), ValueError, r"^ContextPath expected \(N, 3, H, W\), got \(2, 1, 6, 5\): axis 1 is 1, give it images of 3 channels"),
    "BiSeNet, batch of 1": (lambda: hand.ToyBiSeNet(width=2, rng=0)(X[:1]), ValueError, one_value(4)),
    "BiSeNet, missing gradient": (lambda: hand.ToyBiSeNet(width=2, rng=0)(X)[1]((X, X)), ValueError, r"^ToyBiSeNet's backward expected a tuple of 3 gradients, .*, got 2, 0 of them None: give one for each output"),
    # state
    "load, missing key": (lambda: arm(3, 4).load_state_dict({}), ValueError, r"^AttentionRefinementModule cannot load .*: missing conv\.conv\.weight; missing conv\.bn\.weight; .* Build the module with the arguments"),
    "load, unexpected key": (lambda: hand.Conv2d(3, 4, 1).load_state_dict({"weight": W[:, :, :1, :1], "bias": V3, "extra": V3}), ValueError, r"^Conv2d cannot load .*: unexpected extra; bias is \(3,\), not \(4,\)\. Build the module with the arguments"),
    "assign, unknown key": (lambda: hand.Conv2d(3, 4, 1).assign({"wieght": W}), KeyError, r"^Conv2d has no array 'wieght': take a key of its state_dict\(\)"),
    "assign, shape": (lambda: hand.Conv2d(3, 4, 1).assign({"bias": V3}), ValueError, r"^Conv2d expected bias as float32 \(4,\), got float32 \(3,\): reshape or convert it"),
    "assign, dtype": (lambda: hand.Conv2d(3, 3, 1).assign({"bias": V3.astype("f8")}), ValueError, r"^Conv2d expected bias as float32 \(3,\), got float64 \(3,\): reshape or convert it"),
    # devices
    "device, unknown": (lambda: places.place("gpu"), ValueError, r"expected device 'cpu', 'cuda', 'cuda:N' or 'emulated', got 'gpu': choose one"),
    "device, bad index": (lambda: places.place("cuda:x"), ValueError, r"expected device 'cpu', 'cuda', 'cuda:N' or 'emulated', got 'cuda:x': choose one"),
    "libraries mixed": (lambda: hand.sigmoid_gate(X, torch.tensor(X)), TypeError, r"expected arrays of one library, got numpy and torch: move them"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_clear_sentence(name):
    call, error, pattern = BAD[name]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value.args[0])
    assert re.search(pattern, message), message
    assert "\n" not in message


@pytest.mark.parametrize("allowed", [{"momentum": 0}, {"momentum": 1}, {"eps": 0}, {"eps": 0.0}])
def test_the_ends_of_a_range_are_in_it(allowed):
    hand.BatchNorm2d(3, **allowed)


def built(name):
    """The module and its inputs, as its case says."""
    module = getattr(hand, name)(**BUILT[name].options)
    return module, inputs_of(module)


@pytest.mark.parametrize("name", BUILT)
def test_other_channels_are_refused_by_the_argument_that_fixed_them(name):
    module, (x, *others) = built(name)
    twice = np.concatenate([x, x], axis=1)
    if BUILT[name].any_channels:
        others = [np.concatenate([other, other], axis=1) for other in others]
        assert module(twice, *others)[0].shape[1] == twice.shape[1]
        return
    with pytest.raises(ValueError, match="axis 1") as caught:
        module(twice, *others)
    words = r"(\w+) expected \(N, (\d+), H, W\), got \(3, \d+, \d, \d\): axis 1 is \d+, (.*)"
    who, channels, remedy = re.fullmatch(words, str(caught.value)).groups()
    part = next(m for _, m in module.named_modules() if type(m).__name__ == who)  # itself, mostly
    if remedy == "give it images of 3 channels":
        assert channels == "3"
    else:
        argument, value = re.fullmatch(r"the module was built with (\w+)=(\d+)", remedy).groups()
        assert argument in inspect.signature(type(part)).parameters
        assert value == channels == str(getattr(part, argument))


@pytest.mark.parametrize("name", BUILT)
def test_an_input_of_three_axes_is_refused(name):
    module, inputs = built(name)
    words = r"expected \(N, \w+, (H, W|1, 1)\), got \(\d, \d, \d\): "
    for i in range(len(inputs)):
        with pytest.raises(ValueError, match=words):
            module(*(x[0] if i == k else x for k, x in enumerate(inputs)))


@pytest.mark.parametrize("name", BUILT)
def test_inputs_of_another_dtype_than_the_weights_are_refused(name):
    module, inputs = built(name)
    wide = [x.astype("f8") for x in inputs]
    if module.parameters():
        with pytest.raises(TypeError, match="float32"):
            module(*wide)
    else:
        assert module(*wide)[0].dtype == "float64"


def test_devices_mixed():
    with strict_device() as where:
        here = where.xp.asarray(X)
        there = where.asarray(X)
        with pytest.raises(ValueError, match=r"one device, got .* and .*: move the module"):
            hand.sigmoid_gate(here, there)


@pytest.mark.emulated
def test_cupys_arrays_on_two_devices(cupy_place):
    """There is one here: of the other only the number is known, and no memory is touched."""
    import cupy

    def at(device):
        memory = cupy.cuda.UnownedMemory(X.ctypes.data, X.nbytes, X, device)
        return cupy.ndarray(X.shape, X.dtype, cupy.cuda.MemoryPointer(memory, 0))

    with pytest.raises(ValueError, match="one device, got emulated and cuda:1: move the module"):
        hand.add(at(0), at(1))
    words = r"holds float32 arrays of cupy on emulated, got float32 arrays of cupy on cuda:1: "
    with pytest.raises(TypeError, match=words):
        arm(3, 4).to(cupy_place)(at(1))


def test_a_module_on_a_device_refuses_an_array_of_the_host():
    words = r"holds float32 arrays of array_api_strict on .*, got float32 arrays of numpy on cpu: convert x, or move the module"
    with strict_device() as where, pytest.raises(TypeError, match=words):
        arm(3, 4).to(where)(X)


def test_cuda_without_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match=r"needs CuPy, which is not installed: .*pip install"):
        places.place("cuda")


def test_cuda_without_a_driver():
    pytest.importorskip("cupy", reason="cupy-cuda12x is not installed on this platform")
    with contextlib.suppress(RuntimeError):
        places.place("cuda")
        pytest.skip("a GPU answers here")
    with pytest.raises(RuntimeError, match=r"needs an NVIDIA GPU and its driver.*nvidia-smi"):
        hand.Conv2d(3, 4, 1, device="cuda")


def test_cuda_with_a_cupy_that_cannot_be_imported(monkeypatch, tmp_path):
    broken = 'raise ImportError("libcudart.so.12: cannot open shared object file")'
    (tmp_path / "cupy.py").write_text(broken, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    words = (
        r"installed and cannot be imported \(libcudart.* file\): uninstall it, and install it with"
    )
    with pytest.raises(RuntimeError, match=words):
        places.place("cuda")


class Unasked(Exception):
    """What CuPy raises where the driver refuses to say how many GPUs there are."""

    status = 999

    @classmethod
    def raised(cls):
        raise cls("cudaErrorUnknown: unknown error")


def test_cuda_with_a_driver_that_fails_is_not_called_a_machine_without_a_gpu(monkeypatch):
    runtime = SimpleNamespace(CUDARuntimeError=Unasked, getDeviceCount=Unasked.raised)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setattr(places, "emulated", lambda: False)
    with pytest.raises(RuntimeError, match=r"its driver says cudaErrorUnknown: unknown error: "):
        places.place("cuda")
    monkeypatch.setattr(Unasked, "status", 100)
    with pytest.raises(RuntimeError, match="CuPy finds none"):
        places.place("cuda")


@pytest.mark.parametrize(("driver", "old"), [(0, False), (12080, True), (13010, False)])
def test_cuda_with_a_driver_that_is_older_than_cupy_says_so(driver, old, monkeypatch):
    """nvidia-smi answers there, and to look at it helps nobody."""
    monkeypatch.setattr(Unasked, "status", 35)  # cudaErrorInsufficientDriver, also of no driver
    runtime = SimpleNamespace(
        CUDARuntimeError=Unasked,
        getDeviceCount=Unasked.raised,
        driverGetVersion=lambda: driver,
        runtimeGetVersion=lambda: 13000,
    )
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setattr(places, "emulated", lambda: False)
    words = (
        "device 'cuda' needs a driver for CUDA 13, as this CuPy does, and the one here is for CUDA "
        "12.8: renew the driver, or install cupy-cuda12x in place of this CuPy"
    )
    with pytest.raises(RuntimeError, match=f"^{words}$" if old else "CuPy finds none"):
        places.place("cuda")


class Emulator:
    """Stands in for `armlab.emulator` where it could, or could not, be had."""

    def __init__(self, why="", there=False):
        self.why, self.there = why, there

    def why_not(self):
        return self.why

    def installed(self):
        return self.there

    def install(self):
        raise AssertionError("there is nothing to install on")


def test_the_emulated_device_says_why_it_cannot_be_had(monkeypatch):
    monkeypatch.setitem(sys.modules, "armlab.emulator", Emulator("it needs g++, which is missing"))
    words = r"^there is no device 'emulated' here: it needs g\+\+, which is missing$"
    with pytest.raises(RuntimeError, match=words):
        hand.Conv2d(3, 4, 1, device="emulated")


def test_the_emulated_device_comes_before_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "armlab.emulator", Emulator())
    monkeypatch.setitem(sys.modules, "cupy", object())
    with pytest.raises(RuntimeError, match=r"^device 'emulated' has to be there before .* process"):
        places.place("emulated")


def test_the_emulated_device_is_no_gpu(monkeypatch):
    """Not even where CuPy counts it as one."""
    monkeypatch.setitem(sys.modules, "armlab.emulator", Emulator(there=True))
    cupy = ModuleType("cupy")
    cupy.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 1))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(RuntimeError, match=r"^device 'cuda' needs an NVIDIA GPU and its driver"):
        places.place("cuda")


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
