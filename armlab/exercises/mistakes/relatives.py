"""Of chapter 6."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab import hand
from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, over


def spread(dz: Any) -> Any:
    return dz[:, :, None, None]


def se_steps(dx_gate: Any, da: Any, u: Any, W1: Any, W2: Any) -> dict[str, Any]:
    dz = spread(da @ W2 * (u > 0) @ W1)
    pixels = dx_gate[0, 0].size
    return {
        "dz / (H W), the branch's gradient": dz / pixels + 0 * dx_gate,
        "dz": dz,
        "dz / (N H W)": dz / (pixels * len(u)) + 0 * dx_gate,
    }


def se(dx_gate: Any, du: Any, W1: Any) -> Any:
    return dx_gate + spread(du @ W1) / dx_gate[0, 0].size


def size(t: float) -> int:
    return max(int(t) // 2 * 2 + 1, 3)


def of_first_image(da: Any, z: Any, w: Any) -> Any:
    dz = hand.channel_conv1d(z, w)[1](da)[0]
    return dz, hand.channel_conv1d(z[:1], w)[1](da[:1])[1]


def rolled(da: Any, z: Any, w: Any) -> Any:
    """The backward of a kernel that goes on at the other end."""
    half = w.shape[2] // 2
    taps = range(-half, half + 1)
    dz = sum(w[0, 0, k + half] * np.roll(da, k, axis=1) for k in taps)
    padded = np.pad(z, ((0, 0), (half, half), (0, 0), (0, 0)))
    c = z.shape[1]
    dw = [(da * padded[:, r : r + c]).sum() for r in range(2 * half + 1)]
    return dz, np.reshape(dw, w.shape)


def parts_of_cbam(
    dy: Any, gate_back: Any, mlp_mean_back: Any, mlp_max_back: Any, mean_back: Any, max_back: Any
) -> dict[str, Any]:
    dx, da = gate_back(dy)
    (dmean, first), (dmax, second) = mlp_mean_back(da), mlp_max_back(da)
    return {
        "the gate's gradient": dx,
        "the mean pool's gradient": mean_back(dmean),
        "the max pool's gradient": max_back(dmax),
        "d_fc1 by the mean": first["fc1.weight"],
        "d_fc1 by the max": second["fc1.weight"],
    }


def cbam(**given: Any) -> Any:
    gate, mean, largest, first, second = parts_of_cbam(**given).values()
    return gate + mean + largest, first + second


def chained(dy: Any, gate_back: Any, mlp_mean_back: Any, mlp_max_back: Any, **pools: Any) -> Any:
    """The second backward is given what the first returned."""
    dx, da = gate_back(dy)
    dmean, first = mlp_mean_back(da)
    dmax, second = mlp_max_back(dmean)
    total = dx + pools["mean_back"](dmean) + pools["max_back"](dmax)
    return total, first["fc1.weight"] + second["fc1.weight"]


def variance(d: Any) -> Any:
    return over(POSITIONS, d * d) / max(d[0, 0].size - 1, 1)


def logits(x: Any, lambda_: float, axes: Any = POSITIONS, four: float = 4.0) -> Any:
    d = x - x.mean(axis=axes, keepdims=True)
    return d * d / (four * (variance(d) + lambda_)) + 0.5


def other_logits(of: Any) -> Any:
    """SimAM's logits from (x, d, v, λ)."""

    def answer(x: Any, lambda_: float) -> Any:
        d = x - x.mean(axis=POSITIONS, keepdims=True)
        return of(x, d, variance(d), lambda_) + 0.5

    return answer


def simam(
    da: Any, d: Any, q: Any, e: Any, four: float = 4.0, m: Any = None, mean: float = 1
) -> Any:
    m = max(d[0, 0].size - 1, 1) if m is None else m
    dd = 2 * q * d * (da - four * over(POSITIONS, da * e) / m)
    return dd - mean * dd.mean(axis=POSITIONS, keepdims=True)


MISTAKES: Mistakes = {
    "se_backward": {
        "u itself is no factor: ReLU's slope is 1 where u > 0 and 0 elsewhere": (
            lambda dx_gate, da, u, W1, W2: se(dx_gate, da @ W2 * u, W1)
        ),
        "a product with W goes back with W itself, da @ W2: these are transposed": (
            lambda dx_gate, da, u, W1, W2: se(dx_gate, da @ W1.T * (u > 0), W2.T)
        ),
        "ReLU looked at u, not at the gradient: the mask is u > 0": (
            lambda dx_gate, da, u, W1, W2: se(dx_gate, np.maximum(da @ W2, 0), W1)
        ),
        "dx has two parts: this is dz, neither spread over the pixels nor added to dx_gate": (
            lambda dx_gate, da, u, W1, W2: da @ W2 * (u > 0) @ W1
        ),
    },
    "eca_kernel_size": {
        "an even kernel has no middle, and a kernel of 1 sees no neighbour: this is t as it is": (
            lambda channels: int(abs(np.log2(channels) + 1) / 2)
        ),
        "the logarithm is to base 2: this is the natural one": (
            lambda channels: size((np.log(channels) + 1) / 2)
        ),
        "t = (log2(C) + 1) / 2: the 1 is missing": lambda channels: size(np.log2(channels) / 2),
        "t = (log2(C) + 1) / 2: it is not halved": lambda channels: size(np.log2(channels) + 1),
        "the size grows with the logarithm of the channels: this is always 3": lambda channels: 3,
    },
    "channel_conv1d_backward": {
        "channels beyond the ends are zeros: this goes on at the other end": rolled,
        "one kernel serves every image of the batch: this dw is of the first alone": of_first_image,
    },
    "cbam_channel_backward": {
        "both halves of the branch get da: the second was given what the first returned": chained,
        "mean_back and max_back have changed places": lambda mean_back, max_back, **given: cbam(
            mean_back=max_back, max_back=mean_back, **given
        ),
    },
    "simam_logits": {
        "e = d² / (4 (v + λ)): the 4 is missing": lambda **given: logits(**given, four=1),
        "each channel of each image has its own mean: this is one for everything": (
            lambda x, lambda_: logits(x, lambda_, axes=(0, 1, 2, 3))
        ),
        "the mean is over the positions of a channel, not over channels": (
            lambda x, lambda_: logits(x, lambda_, axes=1)
        ),
        "each image has its own mean: this is one for the batch": (
            lambda x, lambda_: logits(x, lambda_, axes=(0, 2, 3))
        ),
        "λ is missing: it is added to the variance": lambda x, lambda_: logits(x, 1e-300),
        "e has d squared in it: this is d": other_logits(
            lambda x, d, v, lambda_: d / (4 * (v + lambda_))
        ),
        "e has the squared distance from the mean in it: this is x squared": other_logits(
            lambda x, d, v, lambda_: x * x / (4 * (v + lambda_))
        ),
        "λ is added to v before the 4: 4 (v + λ)": other_logits(
            lambda x, d, v, lambda_: d * d / (4 * v + lambda_)
        ),
    },
    "simam_logits_backward": {
        "the statistics move with every x: this is the direct way alone, 2 q d da": (
            lambda da, d, q, e: 2 * q * d * da
        ),
        "the variance divides by m − 1, and this by m": (
            lambda **given: simam(**given, m=given["d"][0, 0].size)
        ),
        "v stands in q = 1 / (4 (v + λ)): the 4 is missing on its way": (
            lambda **given: simam(**given, four=1)
        ),
        "the mean is subtracted, and so is its gradient: this adds it": (
            lambda **given: simam(**given, mean=-1)
        ),
        "v is a sum over positions: this takes the mean of da e in place of their sum": (
            lambda **given: simam(**given, four=4 / given["d"][0, 0].size)
        ),
    },
}
STEPS: Steps = {"se_backward": se_steps, "cbam_channel_backward": parts_of_cbam}
