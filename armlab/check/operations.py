"""How the inputs of each operation are drawn: valid by construction, kernels and sizes first."""

from __future__ import annotations

import numpy as np
from hypothesis import event

from armlab.check.example import Example
from armlab.check.strategies import Shape, Source, one_number_per_channel


def conv2d(s: Source, exact: bool = False) -> Example:
    kernel = (s.pick(1, 2, 3, 5), s.pick(1, 3, 2))
    padding = (s.pick(0, 1, 2), s.pick(0, 1, 3))
    dilation = (s.pick(1, 2), s.pick(1, 3))
    stride, groups = (s.pick(1, 2, 3), s.pick(1, 2)), s.pick(1, 2, 3)
    fast = s.pick("any", "rows", "pointwise", "winograd", "nearly winograd")  # each has to come up
    many = "winograd" in fast and not exact
    if fast != "any":
        groups = 1
    if fast == "rows" or many:
        stride = (1, 1)
    if fast == "pointwise":
        kernel, padding = (1, 1), (0, 0)
    if many:
        kernel, dilation = (3, s.pick(1, 3)), (1, dilation[1])
        padding = (padding[0], dilation[1] * (kernel[1] // 2))
    if many and fast == "nearly winograd":  # all that `conv2d_winograd` asks for but one thing
        lacking = s.pick("dilation", "rows", "stride", "groups", "width")
        event(f"nearly winograd: {lacking}")
        kernel = (s.pick(2, 4), kernel[1]) if lacking == "rows" else kernel
        dilation = (2, dilation[1]) if lacking == "dilation" else dilation
        stride = s.pick((2, 1), (1, 2)) if lacking == "stride" else stride
        groups = 2 if lacking == "groups" else groups
        padding = (padding[0], padding[1] + 1) if lacking == "width" else padding
    event(f"kernel: {kernel}, groups: {groups}" + ", many channels" * many)
    span = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    least = [max(1, n - 2 * p) for n, p in zip(span, padding, strict=True)]
    n, c, h, w = s.features((1, 1, *least), large=(4, 9, 37, 43))
    c, k = groups * c, groups * s.pick(1, 2, 3, 7)
    if many:
        c, k = c + 8 * groups, k + 9 * groups
    out = [
        (size + 2 * p - sp) // t + 1
        for size, p, sp, t in zip((h, w), padding, span, stride, strict=True)
    ]
    inputs = {
        "x": s.array("x", (n, c, h, w)),
        "w": s.array("w", (k, c // groups, *kernel)),
        "b": s.array("b", (k,)) if s.pick(True, False) else None,
    }
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Example(inputs, options, s.array("dy", (n, k, *out)), layouts=s.layouts)


def conv2d_exact(s: Source) -> Example:
    return conv2d(s, exact=True)


def covered(e: Example) -> tuple[int, int]:
    """How many rows and columns of x the windows of a convolution or of a pooling reach."""
    w = e.inputs.get("w")
    window = e.options["kernel_size"] if w is None else w.shape[2:]
    dilation = e.options.get("dilation", (1, 1))
    last = [
        (out - 1) * t - p + d * (k - 1)
        for out, t, p, d, k in zip(
            e.dy.shape[2:], e.options["stride"], e.options["padding"], dilation, window, strict=True
        )
    ]
    return max(last[0] + 1, 0), max(last[1] + 1, 0)


def batch_norm(s: Source) -> Example:
    shape = s.features(large=(4, 5, 31, 29))
    if shape[0] * shape[2] * shape[3] == 1:  # one value per channel is refused
        shape = (2, *shape[1:])
    c = shape[1]
    inputs = {
        "x": s.array("x", shape),
        "w": one_number_per_channel(s, "w", c),
        "b": one_number_per_channel(s, "b", c),
    }
    options = {"eps": s.pick(1e-5, 1e-3)}
    return Example(inputs, options, s.array("dy", shape), layouts=s.layouts)


def batch_norm_eval(s: Source) -> Example:
    e = batch_norm(s)
    c = e.dy.shape[1]
    options = {
        **e.options,
        "mean": one_number_per_channel(s, "mean", c),
        "var": s.array("var", (c,), "positive"),
    }
    return Example(e.inputs, options, e.dy, layouts=s.layouts)


def elementwise(s: Source, name: str = "x", kind: str | None = None, **options: float) -> Example:
    shape = s.features()
    inputs = {name: s.array(name, shape, kind)}
    return Example(inputs, dict(options), s.array("dy", shape), layouts=s.layouts)


def leaky_relu(s: Source) -> Example:
    return elementwise(s, slope=0.25 if s.kind == "integers" else s.pick(0.01, 0.25, 0.9))


def hard_swish_exact(s: Source) -> Example:
    """Multiples of 3: both kinks, and no quotient by 6 that rounds."""
    e = elementwise(s)
    (x,) = e.inputs.values()
    assert x is not None
    return Example({"x": 3 * x}, {}, e.dy, layouts=s.layouts)


def sigmoid(s: Source) -> Example:
    return elementwise(s, "a", s.pick(None, "wide", "integers"))  # logits of every size


def sigmoid_gate(s: Source) -> Example:
    n, c, h, w = shape = s.features()
    gate = s.pick("channel", "position", "element")
    event(f"gate: {gate}")
    a_shape = {"channel": (n, c, 1, 1), "position": (n, 1, h, w), "element": shape}[gate]
    x = s.array("x", shape)
    a = s.array("a", a_shape, s.pick("floats", "wide", "ties"))
    return Example({"x": x, "a": a}, {}, s.array("dy", shape), layouts=s.layouts)


def sigmoid_gate_exact(s: Source) -> Example:
    """Gates that are powers of two: σ(0) = 1/2."""
    e = sigmoid_gate(s)
    x, a = e.inputs["x"], e.inputs["a"]
    assert a is not None
    return Example({"x": x, "a": 0 * a}, {}, e.dy, layouts=s.layouts)


def global_avg_pool(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {}, s.array("dy", (n, c, 1, 1)), layouts=s.layouts)


def global_avg_pool_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, c, _, _ = s.features()
    x = s.array("x", (n, c, s.pick(1, 2, 8), s.pick(4, 1, 16)))
    return Example({"x": x}, {}, s.array("dy", (n, c, 1, 1)), layouts=s.layouts)


def strip_mean(s: Source) -> Example:
    return _strip_mean(s, s.features())


def strip_mean_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, c, _, _ = s.features()
    return _strip_mean(s, (n, c, s.pick(1, 2, 8), s.pick(4, 1, 16)))


def _strip_mean(s: Source, shape: Shape) -> Example:
    axis = s.pick(2, 3)
    event(f"axis: {axis}")
    y_shape = (*shape[:2], shape[2], 1) if axis == 3 else (*shape[:2], 1, shape[3])
    x = s.array("x", shape)
    return Example({"x": x}, {"axis": axis}, s.array("dy", y_shape), layouts=s.layouts)


def simam_logits(s: Source) -> Example:
    shape = s.features((1, 1, 1, 2))
    x = s.array("x", shape)
    options = {"lambda_": s.pick(1e-4, 0.1)}
    return Example({"x": x}, options, s.array("dy", shape), layouts=s.layouts)


def channel_conv1d(s: Source) -> Example:
    n, c, _, _ = s.features()
    shape = (n, c, 1, 1)
    inputs = {"z": s.array("z", shape), "w": s.array("w", (1, 1, s.pick(1, 3, 5)))}
    return Example(inputs, {}, s.array("dy", shape), layouts=s.layouts)


def channel_statistic(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def channel_mean_exact(s: Source) -> Example:
    n, _, h, w = s.features()
    x = s.array("x", (n, s.pick(1, 2, 4, 16), h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def add(s: Source) -> Example:
    """x2 of the shape of x1, or one number per channel, per position or per row."""
    n, c, h, w = shape = s.features()
    x2_shape = s.pick(shape, (n, c, 1, 1), (n, 1, h, w), (n, c, h, 1))
    event(f"x2 repeats: {x2_shape != shape}")
    inputs = {"x1": s.array("x1", shape), "x2": s.array("x2", x2_shape)}
    return Example(inputs, {}, s.array("dy", shape), layouts=s.layouts)


def join_strips(s: Source) -> Example:
    n, c, h, w = s.features()
    inputs = {
        "rows": s.array("rows", (n, c, h, 1)),
        "columns": s.array("columns", (n, c, 1, w)),
    }
    return Example(inputs, {}, s.array("dy", (n, c, h + w, 1)), layouts=s.layouts)


def split_strips(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h + w, 1))
    dy = s.array("dy", (n, c, h, 1)), s.array("dy2", (n, c, 1, w))
    return Example({"x": x}, {"height": h}, dy, layouts=s.layouts)


def concat_channels(s: Source) -> Example:
    n, c, h, w = s.features()
    inputs = {"x1": s.array("x1", (n, c, h, w)), "x2": s.array("x2", (n, s.pick(1, 2, 6), h, w))}
    channels = sum(x.shape[1] for x in inputs.values())
    return Example(inputs, {}, s.array("dy", (n, channels, h, w)), layouts=s.layouts)


def max_pool2d(s: Source) -> Example:
    kernel = (s.pick(1, 2, 3), s.pick(3, 2, 5))
    stride = (s.pick(1, 2, 3), s.pick(2, 1, 4))
    padding = (s.pick(0, kernel[0] // 2), s.pick(0, kernel[1] // 2))
    event(f"kernel: {kernel}")
    n, c, h, w = s.features((1, 1, *kernel))
    out = [
        (size + 2 * p - k) // t + 1
        for size, p, k, t in zip((h, w), padding, kernel, stride, strict=True)
    ]
    x = s.array("x", (n, c, h, w))
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return Example({"x": x}, options, s.array("dy", (n, c, *out)), layouts=s.layouts)


def resize(s: Source) -> Example:
    n, c, h, w = s.features()
    size = (s.pick(1, 2, 3, 5, 8, 13), s.pick(2, 1, 4, 7, 12))
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {"size": size}, s.array("dy", (n, c, *size)), layouts=s.layouts)


def cross_entropy(s: Source) -> Example:
    n, k, h, w = s.features(large=(3, 7, 30, 31))
    a = s.array("a", (n, k, h, w))
    ignore = s.pick(255, -1, 0) if k > 1 else 255
    seed = s.seed()
    labels = np.random.default_rng(seed).integers(0, k, (n, h, w))
    labels[np.random.default_rng(seed + 1).random((n, h, w)) < 0.3] = ignore
    labels[:1, :1, :1] = k - 1  # one pixel always counts
    weight = s.array("weight", (k,), "positive") if s.pick(True, False) else None
    options = {"labels": labels, "weight": weight, "ignore_index": ignore}
    return Example({"a": a}, options, s.array("dy", (), "positive"), layouts=s.layouts)
