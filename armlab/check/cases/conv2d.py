"""The convolution, as a function and as a module."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, absolute, float64_inputs, line_up
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.modules import module_example
from armlab.check.record import Built, Call, Inputs, Options, Shape, Timed, features
from armlab.check.smooth import smooth
from armlab.check.special import border, one_of, slabs
from armlab.check.strategies import Source
from armlab.hand import kernels
from armlab.hand.kernels import conv2d_winograd
from armlab.hand.window import Window


def conv2d(s: Source, exact: bool = False) -> Example:
    kernel = (s.pick(1, 2, 3, 5), s.pick(1, 3, 2))
    padding = (s.pick(0, 1, 2), s.pick(0, 1, 3))
    dilation = (s.pick(1, 2), s.pick(1, 3))
    stride, groups = (s.pick(1, 2, 3), s.pick(1, 2)), s.pick(1, 2, 3)
    ways = ("any", "rows", "pointwise", "winograd", "nearly winograd")  # each has to come up
    fast = s.pick(*ways[: 3 if s.readable else 5])  # many channels are nothing to read
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
        s.note(f"nearly winograd: {lacking}")
        kernel = (s.pick(2, 4), kernel[1]) if lacking == "rows" else kernel
        dilation = (2, dilation[1]) if lacking == "dilation" else dilation
        stride = s.pick((2, 1), (1, 2)) if lacking == "stride" else stride
        groups = 2 if lacking == "groups" else groups
        padding = (padding[0], padding[1] + 1) if lacking == "width" else padding
    s.note(f"kernel: {kernel}, groups: {groups}" + ", many channels" * many)
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


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Sums of products: C/g R S of them and b for y, K/g R S for dx, N OH OW for dw and db.

    Where NumPy runs `conv2d_winograd`, y, dx and dw have its bound. Its sums are R times shorter,
    but what they sum has been through a matrix, and goes through another: G has three columns, A
    four, B six, each entry rounded, so 4 + 5 + 7 roundings are added, and 2 for dx, where tiles
    overlap. The size of it all is that of (1) in absolute values, of the matrices too.
    """
    w, dy = float64_inputs(e)["w"], e.dy
    k, c, r, s = w.shape
    groups = e.options["groups"]
    pixels = dy.shape[0] * dy.shape[2] * dy.shape[3]
    size = absolute("conv2d", e)
    terms = {"y": c * r * s + 1, "dx": (k // groups) * r * s, "dw": pixels, "db": pixels}
    if kernels.choose("conv2d", w, w, window_of(e), groups) is conv2d_winograd.conv2d:
        size |= _absolute_winograd(e)
        terms |= {"y": c * s + 17, "dx": k * s + 18, "dw": pixels + 16}
    return {
        name: None if size[name] is None else n * u * size[name] + r * s * c * TINY
        for name, n in terms.items()
    }


def window_of(e: Example) -> Window:
    """The geometry of an example of conv2d."""
    w = e.inputs["w"]
    assert w is not None
    return Window.of(w.shape[2:], *(e.options[name] for name in ("stride", "padding", "dilation")))


def _absolute_winograd(e: Example) -> Exact:
    x, w = (np.abs(float64_inputs(e)[name]) for name in ("x", "w"))
    matrices = (np.abs(m) for m in conv2d_winograd.matrices(x.dtype))
    y, backward = conv2d_winograd.by_matrices(x, w, window_of(e), *matrices)
    dx, dw = backward(np.abs(e.dy), True)
    assert dx is not None
    b = e.inputs["b"]
    return {"y": y if b is None else y + line_up(np.abs(b)), "dx": dx, "dw": dw}


def module(s: Source) -> Example:
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
    return module_example(s, "Conv2d", options, (n, c, h, w), (n, k, *out))


def _call(*kernel: int, **options: object) -> Call:
    def call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
        inputs = {"x": smooth(rng, *shape), "w": smooth(rng, 6, shape[1], *kernel)}
        return inputs | {"b": smooth(rng, 6)}, options

    return call


def _call_in_groups(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    """Of one channel each, and without a bias: its gradient is None."""
    c = shape[1]
    return {"x": smooth(rng, *shape), "w": smooth(rng, 2 * c, 1, 2, 1)}, {"groups": c}


CALLS = {
    "": _call(2, 2),
    "stride": _call(2, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    "padding": _call(3, 3, padding=1),
    "groups": _call_in_groups,
}
CASES = [
    Case(
        "conv2d",
        conv2d,
        bound,
        conv2d_exact,
        special=one_of(slabs, border),
        calls=CALLS,
        cost=(288 * 24, 288),
        timed=(Timed({"x": (8, 32, 64, 64), "w": (32, 32, 3, 3), "b": (32,)}, {"padding": 1}),),
    ),
    Case(
        "Conv2d",
        module,
        built=Built(
            {
                "in_channels": 3,
                "out_channels": 4,
                "kernel_size": (3, 1),
                "stride": 2,
                "padding": (1, 0),
                "dilation": 2,
                "groups": 1,
            },
            features(3),
            needed={"in_channels": 2, "out_channels": 3, "kernel_size": 3},
            spares=1,
        ),
        held_by="PyTorch's own layer, nn.Conv2d",
    ),
]
