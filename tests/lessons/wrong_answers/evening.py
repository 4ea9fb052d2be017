"""Of "ARM in one evening"."""

import numpy as np

from wrong_answers.answer import Wrong


def gradients(dy, x, W, z, s):
    """dx through the gate, dx through the pool, dW and db."""
    da = (np.sum(dy * x, axis=(2, 3), keepdims=True) * s * (1 - s))[:, :, 0, 0]
    dz = (da @ W)[:, :, np.newaxis, np.newaxis]
    return dy * s, dz / (x.shape[2] * x.shape[3]), da.T @ z, da.sum(axis=0)


def without_pool(dy, x, W, z, s):
    dx_gate, _, dW, db = gradients(dy, x, W, z, s)
    return dx_gate, dW, db


def whole_pool(dy, x, W, z, s):
    dx_gate, dx_pool, dW, db = gradients(dy, x, W, z, s)
    return dx_gate + dx_pool * x.shape[2] * x.shape[3], dW, db


def without_slope(dy, x, W, z, s):
    ds = np.sum(dy * x, axis=(2, 3))
    dz = (ds @ W)[:, :, np.newaxis, np.newaxis]
    return dy * s + dz / (x.shape[2] * x.shape[3]), ds.T @ z, ds.sum(axis=0)


def other_side_of_W(dy, x, W, z, s):
    dx_gate, _, dW, db = gradients(dy, x, W, z, s)
    return dx_gate + gradients(dy, x, W.T, z, s)[1], dW, db


def transposed(dy, x, W, z, s):
    dx_gate, dx_pool, dW, db = gradients(dy, x, W, z, s)
    return dx_gate + dx_pool, dW.T, db


WRONG: Wrong = {
    "channel_gate_backward": [
        (lambda dy, x, s: (dy * s, dy * x * s * (1 - s)), "broadcast gate is not summed"),
        (
            lambda dy, x, s: (dy * s, np.sum(dy * x, axis=(2, 3), keepdims=True)),
            "this is ds",
        ),
        (
            lambda dy, x, s: (dy * s, np.mean(dy * x, axis=(2, 3), keepdims=True) * s * (1 - s)),
            "repeated gate are averaged",
        ),
    ],
    "arm_backward_in_numpy": [
        (without_pool, "through the pool is missing"),
        (whole_pool, "share of 1 / HW"),
        (without_slope, "slope of the sigmoid"),
        (other_side_of_W, "this took a row"),
        (transposed, "this is its transpose"),
    ],
}
