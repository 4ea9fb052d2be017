"""How the modules are drawn: small, with random weights and running statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import event

from armlab import hand
from armlab.check.example import Example
from armlab.check.strategies import Source

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
        return rng.standard_normal(shape).astype(np.float32).astype(np.float64)

    inputs = {name: normal(shape) for name, shape in given.items()}
    state = {}
    for key, a in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = np.asarray(3)
        elif key.endswith("running_var"):
            state[key] = 0.5 + np.abs(normal(a.shape))
        else:
            state[key] = normal(a.shape)
    dy = tuple(normal(shape) for shape in out) if isinstance(out, list) else normal(out)
    return Example(inputs, options, dy, state, training, s.layouts)


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


def listed_sar(s: Source) -> Example:
    shape = s.features((2, 1, 1, 1))
    options = {"in_channels": shape[1], "mid_channels": s.pick(1, 2, 6)}
    return _example(s, hand.ListedSAR(**options), options, (shape, shape))


def sar(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "mid_channels": s.pick(1, 6), "out_channels": s.pick(7, 2)}
    y_shape = (n, options["out_channels"], h, w)
    return _example(s, hand.SAR(**options), options, ((n, c, h, w), y_shape))


def toy_net(s: Source) -> Example:
    shape = (s.pick(2, 3), 3, s.pick(7, 10), s.pick(9, 12))
    options = {"classes": 4, "attention": s.pick("none", "arm"), "channels": s.pick(2, 6)}
    y_shape = (shape[0], 4, *shape[2:])
    return _example(s, hand.ToyNet(**options), options, (shape, y_shape))
