"""Of chapter 6."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def se(dx_gate: Any, da: Any, u: Any, W1: Any, W2: Any, **other: Any) -> Any:
    dh = da @ other.get("W2", W2)
    du = dh * other.get("mask", u > 0)
    dz = du @ other.get("W1", W1)
    share = other.get("share", dx_gate[0, 0].size)
    return other.get("direct", dx_gate) + dz[:, :, None, None] / share


def conv1d(da: Any, z: Any, w: Any, **other: Any) -> Any:
    """Right, but for what is given by name."""
    n, c = z.shape[:2]
    k = other.get("images", n)
    size = w.shape[2]
    half = size // 2
    dz = np.zeros((n, c + 2 * half))
    z_padded = np.pad(z[:, :, 0, 0], ((0, 0), (half, half)))
    dw = np.zeros(size)
    for r in range(size):
        tap = size - 1 - r if other.get("flipped") else r
        dz[:, r : r + c] += da[:, :, 0, 0] * w[0, 0, tap]
        dw[r] = (da[:k, :, 0, 0] * z_padded[:k, r : r + c]).sum()
    return dz[:, half : half + c].reshape(z.shape), dw.reshape(other.get("shape", w.shape))


def wrapped(da: Any, z: Any, w: Any) -> Any:
    dz = np.zeros_like(z)
    for r in range(w.shape[2]):
        dz += w[0, 0, r] * np.roll(da, r - w.shape[2] // 2, axis=1)
    return dz, conv1d(da, z, w)[1]


def cbam(
    dy: Any, gate_back: Any, mlp_mean_back: Any, mlp_max_back: Any, mean_back: Any, max_back: Any,
    **other: Any,
) -> Any:  # fmt: skip
    dx, da = gate_back(dy)
    dmean, grads1 = mlp_mean_back(da)
    dmax, grads2 = mlp_max_back(other.get("second", lambda da, dmean: da)(da, dmean))
    parts = (dx, mean_back(dmean), max_back(dmax))
    d_fc1 = other.get("d", lambda a, b: a + b)(grads1["fc1.weight"], grads2["fc1.weight"])
    return other.get("dx", lambda a, b, c: a + b + c)(*parts), d_fc1


def variance(d: Any) -> Any:
    return (d * d).sum(axis=(2, 3), keepdims=True) / max(d[0, 0].size - 1, 1)


def centred(x: Any) -> Any:
    return x - x.mean(axis=(2, 3), keepdims=True)


def logits(x: Any, lambda_: float, **other: Any) -> Any:
    d = x - other.get("mean", lambda x: x.mean(axis=(2, 3), keepdims=True))(x)
    pixels = x[0, 0].size + other.get("more", -1)
    v = (d * d).sum(axis=(2, 3), keepdims=True) / max(pixels, 1)
    return d * d / (other.get("four", 4) * (v + other.get("small", lambda_))) + other.get(
        "half", 0.5
    )


def simam(da: Any, d: Any, q: Any, e: Any, **other: Any) -> Any:
    m = d[0, 0].size
    through = other.get("four", 4) * (da * e).sum(axis=(2, 3), keepdims=True)
    dd = 2 * q * d * (da - through / max(m + other.get("more", -1), 1))
    mean = dd.mean(axis=(2, 3), keepdims=True)
    return dd - other.get("mean", 1) * mean


TRIES: Tries = {
    "se_backward": {
        "the gate alone": lambda dx_gate, da, u, W1, W2: dx_gate.copy(),
        "no share": lambda **given: se(**given, share=1),
        "no ReLU": lambda **given: se(**given, mask=1),
        "u for its sign": lambda **given: se(**given, mask=given["u"]),
        "ReLU of dh": lambda dx_gate, da, u, W1, W2: (
            dx_gate + (np.maximum(da @ W2, 0) @ W1)[:, :, None, None] / dx_gate[0, 0].size
        ),
        "the matrices transposed": lambda dx_gate, da, u, W1, W2: (
            dx_gate + (((da @ W1.T) * (u > 0)) @ W2.T)[:, :, None, None] / dx_gate[0, 0].size
        ),
        "the branch alone": lambda **given: se(**given, direct=0 * given["dx_gate"]),
        "ReLU at 0": lambda **given: se(**given, mask=given["u"] >= 0),
        "not spread": lambda dx_gate, da, u, W1, W2: ((da @ W2) * (u > 0)) @ W1,
        "a difference": lambda **given: 2 * given["dx_gate"] - se(**given),
        "divided by N too": lambda **given: se(**given, share=given["dx_gate"][:, 0].size),
    },
    "eca_kernel_size": {
        "t": lambda channels: int(abs(np.log2(channels) + 1) / 2),
        "natural logarithm": lambda channels: max(int((np.log(channels) + 1) / 2) // 2 * 2 + 1, 3),
        "no + 1": lambda channels: max(int(np.log2(channels) / 2) // 2 * 2 + 1, 3),
        "always 3": lambda channels: 3,
        "the odd number below": lambda channels: max(
            (int((np.log2(channels) + 1) / 2) - 1) // 2 * 2 + 1, 3
        ),
        "no least": lambda channels: int((np.log2(channels) + 1) / 2) // 2 * 2 + 1,
        "not halved": lambda channels: max(int(np.log2(channels) + 1) // 2 * 2 + 1, 3),
    },
    "channel_conv1d_backward": {
        "not turned": lambda **given: conv1d(**given, flipped=True),
        "one image": lambda **given: conv1d(**given, images=1),
        "a flat dw": lambda **given: conv1d(**given, shape=-1),
        "around the end": wrapped,
        "exchanged": lambda **given: conv1d(**given)[::-1],
        "dw turned": lambda **given: next((dz, dw[..., ::-1]) for dz, dw in [conv1d(**given)]),
        "a mean for dw": lambda **given: next(
            (dz, dw / len(given["z"])) for dz, dw in [conv1d(**given)]
        ),
    },
    "cbam_channel_backward": {
        "the mean alone": lambda **given: cbam(
            **given, d=lambda a, b: a, dx=lambda gate, mean, largest: gate + mean
        ),
        "no gate": lambda **given: cbam(**given, dx=lambda gate, mean, largest: mean + largest),
        "the gate alone": lambda **given: cbam(**given, dx=lambda gate, mean, largest: gate),
        "no maximum in dx": lambda **given: cbam(
            **given, dx=lambda gate, mean, largest: gate + mean
        ),
        "no mean in dx": lambda **given: cbam(
            **given, dx=lambda gate, mean, largest: gate + largest
        ),
        "the last d_fc1": lambda **given: cbam(**given, d=lambda a, b: b),
        "the first d_fc1": lambda **given: cbam(**given, d=lambda a, b: a),
        "a mean of d_fc1": lambda **given: cbam(**given, d=lambda a, b: (a + b) / 2),
        "half of da each": lambda **given: cbam(
            **given, dx=lambda gate, mean, largest: gate + (mean + largest) / 2
        ),
        "chained": lambda **given: cbam(**given, second=lambda da, dmean: dmean),
        "max_back of the mean": lambda **given: cbam(
            **given | {"mean_back": given["max_back"], "max_back": given["mean_back"]}
        ),
        "exchanged": lambda **given: cbam(**given)[::-1],
    },
    "simam_logits": {
        "divided by m": lambda **given: logits(**given, more=0),
        "no half": lambda **given: logits(**given, half=0),
        "no four": lambda **given: logits(**given, four=1),
        "the mean of everything": lambda **given: logits(**given, mean=lambda x: x.mean()),
        "no lambda": lambda **given: logits(**given, small=1e-300),
        "not squared": lambda x, lambda_: centred(x) / (4 * (variance(centred(x)) + lambda_)) + 0.5,
        "lambda outside": lambda x, lambda_: logits(x, lambda_ / 4),
        "the gate": lambda **given: 1 / (1 + np.exp(-logits(**given))),
        "x for d": lambda x, lambda_: x * x / (4 * (variance(centred(x)) + lambda_)) + 0.5,
        "the mean of the channels": lambda **given: logits(
            **given, mean=lambda x: x.mean(axis=1, keepdims=True)
        ),
    },
    "simam_logits_backward": {
        "d direct only": lambda da, d, q, e: 2 * q * d * da,
        "no mean": lambda **given: simam(**given, mean=0),
        "no variance": lambda **given: simam(**given, four=0),
        "m for m - 1": lambda **given: simam(**given, more=0),
        "no four": lambda **given: simam(**given, four=1),
        "no two": lambda **given: simam(**given) / 2,
        "the mean added": lambda **given: simam(**given, mean=-1),
        "a mean of da e": lambda **given: simam(**given, more=-1, four=4 / given["d"][0, 0].size),
    },
}
