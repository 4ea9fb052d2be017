"""Of chapter 6."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def spread(dz: Any) -> Any:
    return dz[:, :, np.newaxis, np.newaxis]


def se_backward(dx: Callable[..., Any], through_relu: bool = True) -> Callable[..., Any]:
    """SE's backward with another dx, from (dx_gate, dz, HW)."""

    def answer(dx_gate: Any, da: Any, u: Any, W1: Any, W2: Any) -> Any:
        du = da @ W2 * (u > 0 if through_relu else 1)
        return dx(dx_gate, spread(du @ W1), dx_gate[0, 0].size)

    return answer


def slid(v: Any, w: Any) -> Any:
    """The kernel along the channels, as in the forward."""
    flat, (size,) = v[:, :, 0, 0], w[0, 0].shape
    padded = np.pad(flat, ((0, 0), (size // 2, size // 2)))
    return spread(sum(w[0, 0, r] * padded[:, r : r + flat.shape[1]] for r in range(size)))


def conv1d_dw(da: Any, z: Any, w: Any) -> Any:
    size, c = w.shape[2], z.shape[1]
    padded = np.pad(z[:, :, 0, 0], ((0, 0), (size // 2, size // 2)))
    return np.stack([(da[:, :, 0, 0] * padded[:, r : r + c]).sum() for r in range(size)])[
        None, None
    ]


def cbam_backward(change: Callable[..., Any]) -> Callable[..., Any]:
    """The backward of CBAM's channel half; change gives (dx, d_fc1) from its parts."""

    def answer(
        dy: Any,
        gate_back: Any,
        mlp_mean_back: Any,
        mlp_max_back: Any,
        mean_back: Any,
        max_back: Any,
    ) -> Any:
        dx, da = gate_back(dy)
        dmean, of_mean = mlp_mean_back(da)
        dmax, of_max = mlp_max_back(da)
        gradients = (of_mean["fc1.weight"], of_max["fc1.weight"])
        return change(dx, mean_back(dmean), max_back(dmax), *gradients)

    return answer


def simam(x: Any, lambda_: float, ddof: int = 1, half: float = 0.5) -> Any:
    d = x - x.mean(axis=(2, 3), keepdims=True)
    v = (d**2).sum(axis=(2, 3), keepdims=True) / (x[0, 0].size - ddof)
    return d**2 / (4 * (v + lambda_)) + half


def simam_backward(variance: bool = True, mean: bool = True) -> Callable[..., Any]:
    """SimAM's backward, with or without the ways through its statistics."""

    def answer(da: Any, d: Any, q: Any, e: Any) -> Any:
        m = d[0, 0].size
        through = 4 * (da * e).sum(axis=(2, 3), keepdims=True) / (m - 1)
        dd = 2 * q * d * (da - variance * through)
        return dd - mean * dd.mean(axis=(2, 3), keepdims=True)

    return answer


WRONG: Wrong = {
    "se_backward": [
        (se_backward(lambda dx_gate, dz, m: dx_gate), "by the gate and by its logits"),
        (se_backward(lambda dx_gate, dz, m: dx_gate + dz), "1 / HW"),
        (se_backward(lambda dx_gate, dz, m: dx_gate + dz / m, False), "every line of it"),
    ],
    "eca_kernel_size": [
        (lambda channels: max(int((np.log2(channels) + 1) / 2), 3), "no middle"),
        (lambda channels: int((np.log2(channels) + 1) / 2) // 2 * 2 + 1, "at least 3"),
        (lambda channels: max(round((np.log2(channels) + 1) / 2) // 2 * 2 + 1, 3), "cuts"),
    ],
    "channel_conv1d_backward": [
        (lambda da, z, w: (slid(da, w), conv1d_dw(da, z, w)), "turned around"),
        (
            lambda da, z, w: (slid(da, w[:, :, ::-1]), conv1d_dw(da, z, w)[:, :, ::-1]),
            "in its own order",
        ),
    ],
    "cbam_channel_backward": [
        (cbam_backward(lambda dx, mean, largest, d1, d2: (dx + mean + largest, d1)), "used twice"),
        (cbam_backward(lambda dx, mean, largest, d1, d2: (dx + mean + largest, d2)), "replaced"),
        (cbam_backward(lambda dx, mean, largest, d1, d2: (dx + mean, d1 + d2)), "both pools"),
    ],
    "simam_logits": [
        (lambda x, lambda_: simam(x, lambda_, ddof=0), "divide by H W - 1"),
        (lambda x, lambda_: simam(x, lambda_, half=0.0), "begin at 1/2"),
    ],
    "simam_logits_backward": [
        (simam_backward(variance=False), "the variance moves with every x"),
        (simam_backward(mean=False), "the mean moves with every x"),
    ],
}
