"""2-D convolution: each output pixel is a weighted sum of the window under it."""

from __future__ import annotations

from array_api_compat import device as device_of

from armlab.arrays import (
    Array,
    DType,
    Rng,
    array_namespace,
    dtype_of,
    generator,
    normal,
    pad,
    repeatable,
)
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.channels import channel_sum, per_channel
from armlab.hand.expect import expect_features, expect_flags, expect_vectors, is_whole, whole
from armlab.hand.module import Module
from armlab.hand.window import Pair, Window, pair
from armlab.places import Device, place


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> tuple[Array, Backward]:
    """Convolution with stride, zero padding, dilation and groups.

    x  (N, C, H, W)     features
    w  (K, C/g, R, S)   one kernel per output channel; channels of different groups never meet
    b  (K,) or None
    y  (N, K, OH, OW)   OH = floor((H + 2p - d(R - 1) - 1) / t) + 1, likewise OW

        y[n,k,i,j] = b[k] + Σ_{c,r,s} w[k,c,r,s] x[n, c, t i + d r - p, t j + d s - p]     (1)

    with stride t, padding p, dilation d, and x = 0 outside. The kernel is not flipped: strictly
    a cross-correlation, as in every network library. Keeps nothing but x and w.

    backward(dy) gives (dx, dw, db); backward(dy, input_grad=False) spares dx, which is then
    None: of an image, which nobody differentiates. On NumPy and CuPy one of
    `armlab.hand.kernels` runs.

    Raises ValueError where shapes and groups do not fit each other.
    """
    expect_features("conv2d", x)
    array_namespace(x, w, b)
    _expect_kernel(x, w, b, groups)
    window = Window.of(tuple(w.shape[2:]), stride, padding, dilation)
    biased = b is not None and kernels.choose("conv2d_with_bias", x, w, b, window, groups)
    if biased:
        return biased(x, w, b, window, groups)
    convolve = kernels.choose("conv2d", x, w, window, groups) or conv2d_by_taps
    y, convolve_back = convolve(x, w, window, groups)
    total = channel_sum
    if b is not None:
        total = kernels.choose("channel_sum", y) or channel_sum
        y = y + per_channel(b)

    def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Array, Array | None]:
        dx, dw = convolve_back(dy, input_grad)
        db = None if b is None else total(dy)  # one b[k] feeds every pixel of channel k
        return dx, dw, db

    return y, backward


def conv2d_by_taps(x: Array, w: Array, window: Window, groups: int) -> tuple[Array, Backward]:
    """Equation (1) without b, read literally: one matrix product for each tap (r, s)."""
    xp = array_namespace(x, w)
    (n, c, h, width), k, g = x.shape, w.shape[0], groups
    oh, ow = window.output_size("conv2d kernel", (h, width))
    wg = repeatable(xp.reshape(w, (g, k // g, c // g, *window.kernel)))  # over the images

    def pixels(padded: Array, tap: tuple[slice, ...]) -> Array:  # what tap (r, s) meets
        return xp.reshape(padded[tap], (n, g, c // g, oh * ow))

    padded = pad(x, window.padding)
    y = xp.zeros((n, g, k // g, oh * ow), dtype=x.dtype, device=device_of(x))
    for r, s, tap in window.taps((oh, ow)):
        y += wg[:, :, :, r, s] @ pixels(padded, tap)  # (g, K/g, C/g) @ (N, g, C/g, OH OW)
    y = xp.reshape(y, (n, k, oh, ow))

    def backward(dy: Array, input_grad: bool) -> tuple[Array | None, Array]:
        # (1) is linear in x and in w. Each product w · x of tap (r, s) sends dy · w back to
        #     the pixel that it met, and dy · x, summed over images and pixels, to the tap.
        dyg = xp.reshape(dy, (n, g, k // g, oh * ow))
        padded = pad(x, window.padding)
        dpadded, dwg = xp.zeros_like(padded), xp.zeros_like(wg)
        for r, s, tap in window.taps((oh, ow)):
            if input_grad:
                dpixels = xp.matrix_transpose(wg[:, :, :, r, s]) @ dyg
                dpadded[tap] += xp.reshape(dpixels, (n, c, oh, ow))
            dtap = dyg @ xp.matrix_transpose(pixels(padded, tap))
            dwg[:, :, :, r, s] = xp.sum(dtap, axis=0)
        dx = window.crop(dpadded) if input_grad else None
        return dx, xp.reshape(dwg, w.shape)

    return y, backward


class Conv2d(Module):
    """Convolution with weights of its own; see `conv2d`.

    Weights are drawn normal with variance 1 / fan_in (He et al. 2015 with slope a=1, as in the
    public ARM code), the bias is 0. Raises ValueError where groups do not divide the channels.
    """

    parameter_names = ("weight", "bias")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Rng = None,
        dtype: DType = "float32",
        device: Device = "cpu",
    ) -> None:
        in_channels, out_channels, groups = whole(
            type(self).__name__, in_channels=in_channels, out_channels=out_channels, groups=groups
        )
        expect_flags(type(self).__name__, bias=bias)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d expected channels divisible by groups={groups}, got "
                f"in_channels={in_channels}, out_channels={out_channels}: choose a common divisor"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size", 1)
        self.stride, self.padding = pair(stride, "stride", 1), pair(padding, "padding", 0)
        self.dilation = pair(dilation, "dilation", 1)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan_in = shape[1] * shape[2] * shape[3]
        where, dtype = place(device), dtype_of(dtype)
        self.weight = where.asarray(normal(generator(rng), shape, fan_in**-0.5, dtype))
        self.bias = where.asarray([0.0] * out_channels, dtype) if bias else None

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.in_channels, "in_channels")
        y, conv_back = conv2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )
        names = self.parameter_names[: 1 if self.bias is None else 2]

        def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, dict[str, Array]]:
            dx, *grads = conv_back(dy, input_grad=input_grad)
            return dx, dict(zip(names, grads, strict=False))

        return y, backward

    def extra_repr(self) -> str:
        words = [str(self.in_channels), str(self.out_channels)]
        words += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        words += [f"padding={self.padding}"] * (self.padding != (0, 0))
        words += [f"dilation={self.dilation}"] * (self.dilation != (1, 1))
        words += [f"groups={self.groups}"] * (self.groups != 1)
        words += ["bias=False"] * (self.bias is None)
        return ", ".join(words)


def _expect_kernel(x: Array, w: Array, b: Array | None, groups: int) -> None:
    if len(w.shape) != 4 or 0 in w.shape:
        raise ValueError(f"conv2d expected w as (K, C/g, R, S), got {tuple(w.shape)}: give 4 axes")
    k, c = w.shape[0], x.shape[1]
    if not is_whole(groups, 1) or k % groups or c != groups * w.shape[1]:
        raise ValueError(
            f"conv2d expected x with {groups} × {w.shape[1]} channels (groups × w.shape[1]) and "
            f"{k} output channels divisible by groups, got x {tuple(x.shape)}, "
            f"w {tuple(w.shape)}, groups={groups}: make them agree"
        )
    if b is not None:
        expect_vectors("conv2d", k, b=b)
