"""Batch normalisation with its activation: one pass over the features where that is worth it."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward, Grads
from armlab.hand.batch_norm import (
    BatchNorm2d,
    batch_norm,
    batch_norm_eval,
    expect_batch,
    expect_eps,
)
from armlab.hand.expect import expect_features, expect_vectors
from armlab.hand.leaky_relu import leaky_relu
from armlab.hand.relu import relu

ACTIVATIONS = {"relu": relu, "leaky_relu": leaky_relu}


def batch_norm_activated(
    x: Array, w: Array, b: Array, *, activation: str = "relu", eps: float = 1e-5
) -> tuple[tuple[Array, Array, Array], Backward]:
    """`batch_norm`, which is training mode, and behind it `relu` or `leaky_relu` (slope 0.01).

    x, y  (N, C, H, W);  w, b, mean, var  (C,)

        v = w (x - mean) r + b                              (1)
        y = act(v)                                          (2)

    The value is (y, mean, var). In one pass, as by CuPy's kernel, v is not written and read again;
    layers ask for that pass through `activated`.
    Raises ValueError for another activation, and as `batch_norm` does.
    """
    array_namespace(x, w, b)
    expect_activation("batch_norm_activated", activation)
    expect_batch("batch_norm_activated", x, w, b)
    eps = expect_eps("batch_norm_activated", eps)
    if kernel := kernels.choose("batch_norm_activated", x, w, b, activation, eps):
        return kernel(x, w, b, activation, eps)
    (v, mean, var), norm_back = batch_norm(x, w, b, eps=eps)  # (1)
    y, act_back = ACTIVATIONS[activation](v)  # (2)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dv = act_back(dy)  # (2)
        return norm_back(dv)  # (1)

    return (y, mean, var), backward


def batch_norm_eval_activated(
    x: Array,
    w: Array,
    b: Array,
    *,
    mean: Array,
    var: Array,
    activation: str = "relu",
    eps: float = 1e-5,
) -> tuple[Array, Backward]:
    """`batch_norm_eval`, and behind it `relu` or `leaky_relu` (slope 0.01).

    x, y  (N, C, H, W);  w, b, mean, var  (C,)

        v = w (x - mean) / sqrt(var + eps) + b              (1)
        y = act(v)                                          (2)

    Raises ValueError for another activation, and as `batch_norm_eval` does.
    """
    array_namespace(x, w, b, mean, var)
    name = "batch_norm_eval_activated"
    expect_activation(name, activation)
    expect_features(name, x)
    eps = expect_eps(name, eps)
    expect_vectors(name, x.shape[1], w=w, b=b, mean=mean, var=var)
    if kernel := kernels.choose(name, x, w, b, mean, var, activation, eps):
        return kernel(x, w, b, mean, var, activation, eps)
    v, norm_back = batch_norm_eval(x, w, b, mean=mean, var=var, eps=eps)  # (1)
    y, act_back = ACTIVATIONS[activation](v)  # (2)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dv = act_back(dy)  # (2)
        return norm_back(dv)  # (1)

    return y, backward


def expect_activation(name: str, activation: str) -> None:
    """Refuse a name that is none of `ACTIVATIONS`."""
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(
            f"{name} expected activation 'relu' or 'leaky_relu', got {activation!r}: "
            "choose one of them"
        )


def activated(bn: BatchNorm2d, x: Array, activation: str) -> tuple[Array, Backward]:
    """act(bn(x)), and bn keeps what it keeps; in one pass where the table has a kernel for both.

    backward(dy) gives (dx, the gradients of bn)
    """
    bn.expect_features(x, bn.num_features, "num_features")
    act = ACTIVATIONS[activation]
    norm = batch_norm if bn.training else batch_norm_eval
    row = "batch_norm_and_keep" if bn.training else "batch_norm_as_kept"
    plain = type(bn) is BatchNorm2d  # with no forward of its own
    if plain and (kernel := kernels.choose(row, x, bn, norm, act)):
        return kernel(x, bn, norm, act)
    v, bn_back = bn(x)
    y, act_back = act(v)

    def backward(dy: Array) -> tuple[Array, Grads]:
        return bn_back(act_back(dy))

    return y, backward
