"""The loss: cross-entropy with weights of the classes and pixels that do not count."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.special import ignored_pixels
from armlab.check.strategies import Source


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


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """log p = below - log Σ exp(below): below rounds relative to itself, and so do exp and log.

    p |below| is at most 1/e, so the sum is off by (2 K + 10) u relative; log turns that into an
    absolute error, and below and log p round once more. Then a sum over all pixels and classes.
    """
    a = float64_inputs(e)["a"]
    labels, weight = e.options["labels"], e.options["weight"]
    k = a.shape[1]
    classes = np.arange(k).reshape(1, k, 1, 1)
    hot = (labels[:, None] == classes) & (labels[:, None] != e.options["ignore_index"])
    q = hot * (np.ones(k) if weight is None else weight).reshape(1, k, 1, 1)
    total = q.sum()
    below = a - a.max(axis=1, keepdims=True)
    z = np.exp(below).sum(axis=1, keepdims=True)
    log_p = below - np.log(z)
    dlog_p = u * (2 * k + 10 + 3 * np.abs(below) + 2 * np.abs(log_p))
    n = q.size
    loss = (q * dlog_p).sum() / total + (n + 3) * u * (q * np.abs(log_p)).sum() / total
    p = np.exp(log_p)
    per_pixel = q.sum(axis=1, keepdims=True)
    da = per_pixel * p * u * (np.abs(below) + 2 * k + 10) + (n + 6) * u * (p * per_pixel + q)
    return {"y": loss + TINY, "da": np.abs(e.dy) / total * da + TINY}


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    n, k, h, w = shape
    labels = rng.integers(0, k, (n, h, w))
    labels[rng.random((n, h, w)) < 0.3] = 255
    labels[0, 0, 0] = k - 1  # one pixel always counts
    return {"a": smooth(rng, *shape)}, {"labels": labels, "weight": rng.uniform(0.5, 2, k)}


CASES = [
    Case(
        "cross_entropy",
        cross_entropy,
        bound,
        empty=False,
        special=ignored_pixels,
        loss=True,
        calls={"": _call},
        timed=(Timed({"a": (8, 19, 64, 64)}, constants={"labels": (8, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "cross_entropy: class weights not in the denominator",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "total",
        "total = xp.sum(xp.astype(labels != ignore_index, a.dtype))",
        "the mean is weighted: divide by the sum of the weights, not by the number of pixels",
    ),
    Fault(
        "cross_entropy: ignored pixels get a gradient",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy.backward",
        "q_of_pixel",
        "ignored = xp.astype(labels == ignore_index, a.dtype)\n"
        "q_of_pixel = xp.sum(q, axis=1, keepdims=True) + ignored",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: an ignored class still counts",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "hot",
        "hot = xp.astype(labels, xp.int32) == classes",
        "ignore_index may be the number of a class, and then that class is left out",
    ),
    Fault(
        "cross_entropy_of_label: ignored pixels get a gradient",
        "cross_entropy",
        "kernels/cross_entropy_of_label",
        "cross_entropy.backward",
        "share",
        "share = (q + ~counted) * (dloss / total)",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: ignored pixels multiplied by 0",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "(3)",
        "loss = -xp.sum(q * log_p) / total",
        "0 times NaN is NaN: what an ignored pixel holds is left out, not multiplied by 0",
    ),
    Fault(
        "cross_entropy_of_label: ignored pixels multiplied by 0",
        "cross_entropy",
        "kernels/cross_entropy_of_label",
        "cross_entropy",
        "(3)",
        "loss = -np.sum(log_p * q) / total",
        "0 times NaN is NaN: what an ignored pixel holds is left out, not multiplied by 0",
    ),
]
