"""How the modules are drawn: small, with random weights and running statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import event

from armlab import hand
from armlab.check.example import Example, by_name
from armlab.check.strategies import Shape, Source
from armlab.hand.conv_attention import names_behind_a_convolution

Draw = Callable[[Source], Example]


def _example(s: Source, module: hand.Module, options: dict[str, Any], shapes: Any) -> Example:
    """Values from a seed: a network of them does not shrink to anything one could read.

    shapes  of the input and the output; {name: shape} of several inputs, a list of several outputs
    """
    given, out = shapes
    given = given if isinstance(given, dict) else {"x": given}
    rng = np.random.default_rng(s.seed())
    training = s.pick(True, False)
    event(f"mode: {'train' if training else 'eval'}")

    def normal(shape: tuple[int, ...]) -> np.ndarray:
        return _rounded(rng.standard_normal(shape))

    inputs = {name: normal(shape) for name, shape in given.items()}
    state = {}
    for key, a in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = np.asarray(3)
        elif key.endswith("running_var"):
            state[key] = _rounded(0.5 + np.abs(normal(a.shape)))
        else:  # as networks draw them, so that values stay of order 1 through many layers
            state[key] = _rounded(normal(a.shape) / math.prod(a.shape[1:]) ** 0.5)
    dy = tuple(normal(shape) for shape in out) if isinstance(out, list) else normal(out)
    for name in [*inputs, *by_name("dy", dy)]:
        s.lay_out(name)
    return Example(inputs, options, dy, state, training, s.layouts)


def _rounded(a: np.ndarray) -> np.ndarray:
    """Exact in float32, so that both dtypes see the same numbers."""
    return a.astype(np.float32).astype(np.float64)


def conv2d(s: Source) -> Example:
    n, c, h, w = s.features((1, 1, 3, 3))
    k, kernel, stride, padding = s.pick(2, 7), s.pick(1, 3), s.pick(1, 2), s.pick(0, 1)
    options = {
        "in_channels": c,
        "out_channels": k,
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "bias": s.pick(True, False),
    }
    out = [(size + 2 * padding - kernel) // stride + 1 for size in (h, w)]
    return _example(s, hand.Conv2d(**options), options, ((n, c, h, w), (n, k, *out)))


def batch_norm(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"num_features": c, "momentum": s.pick(0.1, 0.25)}
    return _example(s, hand.BatchNorm2d(**options), options, ((n, c, h, w),) * 2)


def conv_bn(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 3, 3))
    options = {"in_channels": c, "out_channels": s.pick(2, 5), "kernel_size": 1, "padding": 0}
    shapes = ((n, c, h, w), (n, options["out_channels"], h, w))
    return _example(s, hand.ConvBN(**options), options, shapes)


def conv_bn_act(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 3, 3))
    k, stride = s.pick(2, 5), s.pick(1, 2)
    options = {
        "in_channels": c,
        "out_channels": k,
        "stride": stride,
        "activation": s.pick("relu", "leaky_relu"),
    }
    out = [(size - 1) // stride + 1 for size in (h, w)]
    return _example(s, hand.ConvBNAct(**options), options, ((n, c, h, w), (n, k, *out)))


def by_channels(name: str, batch: int = 2) -> Draw:
    """A module that is built with its channels alone and keeps the shape of its input."""

    def draw(s: Source) -> Example:
        shape = s.features((batch, 1, 1, 1))
        module = getattr(hand, name)(shape[1])
        return _example(s, module, {"channels": shape[1]}, (shape, shape))

    return draw


def arm(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    k = s.pick(2, 6)
    activation = s.pick("leaky_relu", "relu")
    event(f"activation: {activation}")
    options = {"in_channels": c, "out_channels": k, "activation": activation}
    module = hand.AttentionRefinementModule(**options)
    return _example(s, module, options, ((n, c, h, w), (n, k, h, w)))


def cbam(name: str) -> Draw:
    """A module with a bottleneck: channels and a reduction."""

    def draw(s: Source) -> Example:
        shape = s.features((2, 3, 1, 1))
        options = {"channels": shape[1], "reduction": s.pick(1, 2, 3)}
        return _example(s, getattr(hand, name)(**options), options, (shape, shape))

    return draw


def cbam_spatial(name: str) -> Draw:
    def draw(s: Source) -> Example:
        shape = s.features((2, 1, 1, 1))
        options = {"kernel_size": s.pick(7, 3, 1)}
        return _example(s, getattr(hand, name)(**options), options, (shape, shape))

    return draw


def channel_conv1d(s: Source) -> Example:
    n, c, _, _ = s.features()
    options = {"kernel_size": s.pick(3, 1, 5)}
    return _example(s, hand.ChannelConv1d(**options), options, ((n, c, 1, 1),) * 2)


def eca(s: Source) -> Example:
    shape = s.features()
    options = {"channels": shape[1], "kernel_size": s.pick(None, 1, 5)}
    return _example(s, hand.ECA(**options), options, (shape, shape))


def simam(s: Source) -> Example:
    shape = s.features((1, 1, 1, 2))
    options = {"lambda_": s.pick(1e-4, 0.1)}
    return _example(s, hand.SimAM(**options), options, (shape, shape))


def uafm_spatial(s: Source) -> Example:
    shapes = _high_and_low(s)
    return _example(s, hand.UAFMSpatial(), {}, (shapes, shapes["low"]))


def uafm_channel(s: Source) -> Example:
    shapes = _high_and_low(s)
    options = {"channels": shapes["low"][1], "reduction": s.pick(1, 2, 3)}
    return _example(s, hand.UAFMChannel(**options), options, (shapes, shapes["low"]))


def _high_and_low(s: Source) -> dict[str, Shape]:
    """Two maps of one batch and as many channels; the high one smaller, larger, or as large."""
    n, c, h, w = low = s.features((2, 3, 1, 1))
    high = (n, c, s.pick(h, 1, 2, 7), s.pick(w, 3, 1, 8))
    return {"high": high, "low": low}


def listed_sar(s: Source) -> Example:
    shape = s.features((2, 1, 1, 1))
    options = {"in_channels": shape[1], "mid_channels": s.pick(1, 2, 6)}
    return _example(s, hand.ListedSAR(**options), options, (shape, shape))


def sar(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "mid_channels": s.pick(1, 6), "out_channels": s.pick(7, 2)}
    y_shape = (n, options["out_channels"], h, w)
    return _example(s, hand.SAR(**options), options, ((n, c, h, w), y_shape))


def conv_attention(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 2))
    k, attention = s.pick(3, 6), s.pick(*names_behind_a_convolution())
    options = {"in_channels": c, "out_channels": k, "attention": attention}
    options["activation"] = s.pick("leaky_relu", "relu")
    shapes = ((n, c, h, w), (n, options["out_channels"], h, w))
    return _example(s, hand.ConvAttention(**options), options, shapes)


def _refinement(s: Source) -> str:
    """A name that a network knows: the three of its own kind for sure, the others by chance.

    Not SimAM, which the smallest images leave one position: it has no variance.
    """
    others = s.pick(*(name for name in names_behind_a_convolution() if name != "simam"))
    return s.pick("none", "arm", "sar", others)


def toy_net(s: Source) -> Example:
    shape = (2, 3, 61, 90) if s.large else (s.pick(2, 3), 3, s.pick(7, 10), s.pick(9, 12))
    options = {"classes": 4, "attention": _refinement(s), "channels": s.pick(2, 6)}
    y_shape = (shape[0], 4, *shape[2:])
    return _example(s, hand.ToyNet(**options), options, (shape, y_shape))


def feature_fusion(name: str) -> Draw:
    def draw(s: Source) -> Example:
        n, c, h, w = s.features((2, 1, 1, 1))
        c2, k = s.pick(1, 3), s.pick(2, 6)
        options = {"in_channels": c + c2, "out_channels": k}
        if name == "FeatureFusionModule":
            options["reduction"] = s.pick(1, 2)
        inputs = {"sp": (n, c, h, w), "cp": (n, c2, h, w)}
        return _example(s, getattr(hand, name)(**options), options, (inputs, (n, k, h, w)))

    return draw


def basic_block(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "out_channels": s.pick(c, 6), "stride": s.pick(1, 2)}
    out = [-(-size // options["stride"]) for size in (h, w)]
    shapes = ((n, c, h, w), (n, options["out_channels"], *out))
    return _example(s, hand.BasicBlock(**options), options, shapes)


def _image(s: Source) -> tuple[int, int, int, int]:
    """Images of sizes that 32 does not divide, and one that is a single pixel high."""
    if s.large:
        return 2, 3, 131, 190
    return s.pick(2, 3), 3, s.pick(9, 1, 34, 70), s.pick(13, 33, 47)


def context_path(s: Source) -> Example:
    return path("ContextPath", {8: 2, 16: 2}, attention=_refinement(s))(s)


def path(name: str, outputs: dict[int, int], **more: Any) -> Draw:
    """One of BiSeNet's paths, with a few channels; outputs: {scale: channels over width}."""

    def draw(s: Source) -> Example:
        n, _, h, w = shape = _image(s)
        width = s.pick(2, 3)
        out = [(n, k * width, -(-h // scale), -(-w // scale)) for scale, k in outputs.items()]
        shapes = (shape, out if len(out) > 1 else out[0])
        options = {"width": width, **more}
        return _example(s, getattr(hand, name)(**options), options, shapes)

    return draw


def bisenet_output(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "mid_channels": 3, "classes": 6, "bias": s.pick(True, False)}
    return _example(s, hand.BiSeNetOutput(**options), options, ((n, c, h, w), (n, 6, h, w)))


def network(name: str, outputs: int, **more: Any) -> Draw:
    """A whole network with a few channels; in training mode it has auxiliary outputs."""

    def draw(s: Source) -> Example:
        n, _, h, w = shape = _image(s)
        options = {"classes": 4, "width": 2, **more}
        y = (n, 4, h, w)
        e = _example(s, getattr(hand, name)(**options), options, (shape, [y] * outputs))
        return e if e.training else replace(e, dy=e.dy[0])

    return draw


def toy_bisenet(s: Source) -> Example:
    return network("ToyBiSeNet", 3, attention=_refinement(s))(s)


def bisenet(s: Source) -> Example:
    reduction = s.pick(None, 1, 4)
    return network("BiSeNet", 3, reduction=reduction, mid_channels=(3, 5))(s)
