"""Error bounds: how far a correct float32 (or float64) result may be from the exact one.

Each function takes an example, its exact results and the unit roundoff u, and returns a bound for
each result, element by element. The arguments use two facts. A sum of n rounded products, in any
order, is off by at most n u Σ|terms|. And a function of a rounded value is off by its slope times
the rounding. `tiny` allows for results below the smallest normal number. Terms of order u² are
left out; n u stays below 0.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from armlab.check.example import Example
from armlab.check.sides import run_torch
from armlab.hand import kernels
from armlab.hand.kernels import conv2d_winograd
from armlab.hand.window import Window, pair

Bounds = dict[str, Any]
TINY = 2.0**-126  # smallest normal float32; harmless for float64, where values are O(1)


def _inputs(e: Example) -> dict[str, Any]:
    return {k: None if v is None else np.asarray(v, np.float64) for k, v in e.inputs.items()}


def _absolute(name: str, e: Example) -> dict[str, np.ndarray]:
    """The same operation on absolute values, in float64."""
    inputs = {k: None if v is None else np.abs(v) for k, v in e.inputs.items()}
    return run_torch(name, Example(inputs, e.options, np.abs(e.dy)), "float64")


def _sum_nhw(a: np.ndarray) -> np.ndarray:
    return a.sum(axis=(0, 2, 3))


def _line_up(v: np.ndarray) -> np.ndarray:
    return v.reshape(1, -1, 1, 1)


def conv2d(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """Sums of products: C/g R S of them and b for y, K/g R S for dx, N OH OW for dw and db.

    Where NumPy runs `conv2d_winograd`, y, dx and dw have its bound. Its sums are R times shorter,
    but what they sum has been through a matrix, and goes through another: G has three columns, A
    four, B six, each entry rounded, so 4 + 5 + 7 roundings are added, and 2 for dx, where tiles
    overlap. The size of it all is that of (1) in absolute values, of the matrices too.
    """
    w, dy = _inputs(e)["w"], e.dy
    k, c, r, s = w.shape
    groups = e.options["groups"]
    pixels = dy.shape[0] * dy.shape[2] * dy.shape[3]
    size = _absolute("conv2d", e)
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


def _absolute_winograd(e: Example) -> dict[str, np.ndarray]:
    x, w = (np.abs(_inputs(e)[name]) for name in ("x", "w"))
    matrices = (np.abs(m) for m in conv2d_winograd.matrices(x.dtype))
    y, backward = conv2d_winograd.by_matrices(x, w, window_of(e), *matrices)
    dx, dw = backward(np.abs(e.dy), True)
    assert dx is not None
    b = e.inputs["b"]
    return {"y": y if b is None else y + _line_up(np.abs(b)), "dx": dx, "dw": dw}


def channel_conv1d(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """Sums of products: R of them for a and dz, N C for dw."""
    size = _absolute("channel_conv1d", e)
    r, pixels = _inputs(e)["w"].shape[2], e.dy.size
    return {
        "y": r * u * size["y"] + r * TINY,
        "dz": r * u * size["dz"] + r * TINY,
        "dw": pixels * u * size["dw"] + pixels * TINY,
    }


def batch_norm(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """Through the mean (1), the variance (2), r (3) and y (4) of `hand.batch_norm` in turn.

    The mean is a sum of m terms: off by dmu. That moves the variance by dmu² only, as deviations
    from the mean cancel; its own sum adds (m + 4) u var. r is its inverse root, so half of that
    relative error. y is a product of these, and torch's alpha x + beta form doubles it.
    """
    v = _inputs(e)
    x, w, b, dy = v["x"], _line_up(v["w"]), _line_up(v["b"]), e.dy
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    mean, var = exact["mean"], exact["var"]
    xc = x - _line_up(mean)
    r = 1 / np.sqrt(_line_up(var) + e.options["eps"])
    dmu = (m + 1) * u * _sum_nhw(np.abs(x)) / m
    dvar = dmu**2 + (m + 4) * u * var
    dmu_, dr = _line_up(dmu), np.minimum(_line_up(dvar) * r**2, 1) / 2 + 3 * u  # dr: relative
    y = 2 * (
        np.abs(w) * r * (dmu_ + u * np.abs(xc) + np.abs(xc) * (dr + 2 * u))
        + u * np.abs(exact["y"])
        + u * np.abs(b)
    )
    xhat = xc * r
    dxhat = r * (dmu_ + 2 * u * np.abs(xc)) + np.abs(xhat) * dr
    db = (m + 1) * u * _sum_nhw(np.abs(dy))
    dw = (m + 2) * u * _sum_nhw(np.abs(dy * xhat)) + _sum_nhw(np.abs(dy) * dxhat)
    along = np.abs(_line_up(_sum_nhw(dy * xhat))) / m
    size = np.abs(dy) + np.abs(_line_up(_sum_nhw(dy))) / m + np.abs(xhat) * along
    spread = _line_up(db) / m + np.abs(xhat) * _line_up(dw) / m + dxhat * along
    dx = 2 * np.abs(w) * r * (4 * u * size + spread + size * dr)
    bounds = {"y": y, "mean": dmu, "var": dvar + 2 * u * var, "dx": dx, "dw": dw, "db": db}
    return {name: b + TINY for name, b in bounds.items()}


def batch_norm_eval(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """The statistics are given, so only the products round: six of them, and the sums."""
    v = _inputs(e)
    x, w, b, dy = v["x"], _line_up(v["w"]), _line_up(v["b"]), e.dy
    mean = _line_up(e.options["mean"])
    r = 1 / np.sqrt(_line_up(e.options["var"]) + e.options["eps"])
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    reach = r * (np.abs(x) + np.abs(mean))
    return {
        "y": u * (6 * np.abs(w) * reach + np.abs(b) + np.abs(exact["y"])) + TINY,
        "dx": 6 * u * np.abs(exact["dx"]) + TINY,
        "dw": (m + 6) * u * _sum_nhw(np.abs(dy) * reach) + TINY,
        "db": (m + 1) * u * _sum_nhw(np.abs(dy)) + TINY,
    }


def nothing_rounds(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """A choice among values, each passed on as it is."""
    return {name: 0 * np.abs(value) for name, value in exact.items()}


def leaky_relu(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """The slope rounds and the product rounds, where x is not positive."""
    (x,) = _inputs(e).values()
    leaks = 2 * u * (x <= 0)
    return {"y": leaks * np.abs(exact["y"]) + TINY, "dx": leaks * np.abs(exact["dx"]) + TINY}


def sigmoid(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """exp, one sum and one quotient: 5 u s. s (1 - s) has slope 1 - 2 s, and rounds itself."""
    s = exact["y"]
    da = 4 * u * np.abs(exact["da"]) + np.abs(e.dy) * (np.abs(1 - 2 * s) * (5 * u * s + TINY))
    return {"y": 5 * u * s + TINY, "da": da + TINY}


def sigmoid_gate(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """The gate is off by 5 u s; da is a sum over the repeats of s, then the sigmoid's backward."""
    v = _inputs(e)
    x, a, dy = v["x"], v["a"], e.dy
    small = np.exp(-np.abs(a))
    s = np.where(a >= 0, 1.0, small) / (1 + small)
    repeats = tuple(i for i in range(4) if a.shape[i] == 1)
    n = max(math.prod(x.shape[i] for i in repeats), 1)
    size = np.abs(dy * x).sum(axis=repeats, keepdims=True)  # Σ |dy x| >= |ds|
    slope = np.abs(s * (1 - s))
    da = slope * (n + 5) * u * size + size * np.abs(1 - 2 * s) * (5 * u * s + TINY)
    ds_small = size * 4 * u * slope
    return {
        "y": 6 * u * np.abs(exact["y"]) + np.abs(x) * TINY + TINY,
        "dx": 6 * u * np.abs(exact["dx"]) + np.abs(dy) * TINY + TINY,
        "da": da + ds_small + TINY * (n + 1),
    }


def add(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """One rounding; dx1 is dy as it is, and dx2 a sum of as many dy as x2 was repeated."""
    x2 = _inputs(e)["x2"]
    repeats = tuple(i for i in range(x2.ndim) if x2.shape[i] == 1)
    n = math.prod(e.dy.shape[i] for i in repeats)
    size = np.abs(e.dy).sum(axis=repeats, keepdims=True)
    dx2 = (n - 1) * u * size if n > 1 else 0 * size
    return {"y": u * np.abs(exact["y"]), "dx1": 0 * np.abs(exact["dx1"]), "dx2": dx2}


def global_avg_pool(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """A sum of H W terms and a quotient."""
    (x,) = _inputs(e).values()
    n = x.shape[2] * x.shape[3]
    y = (n + 1) * u * np.abs(x).mean(axis=(2, 3), keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


def channel_mean(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """A sum of C terms times a share 1 / C that is itself rounded."""
    (x,) = _inputs(e).values()
    y = (x.shape[1] + 1) * u * np.abs(x).mean(axis=1, keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


def strip_mean(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """A sum along one axis and a quotient."""
    (x,) = _inputs(e).values()
    axis = e.options["axis"]
    y = (x.shape[axis] + 1) * u * np.abs(x).mean(axis=axis, keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


def hard_swish(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """y rounds in a sum, two products or quotients, and the 1/6. Below -3 all is 0.

    Between the kinks the slope is 1/2 + x / 3, in torch a sum whose terms round before they cancel,
    by u |x| / 3; then the sum and the product with dy round. Outside, the slope is 0 or 1.
    """
    (x,) = _inputs(e).values()
    slope = u * (np.abs(x) / 3 + 3 * np.abs(x / 3 + 0.5)) * (np.abs(x) < 3)
    return {"y": 4 * u * np.abs(exact["y"]) + TINY, "dx": np.abs(e.dy) * slope + TINY}


def simam_logits(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """Through (1) to (7) of `hand.simam_logits` in turn, each value with its error.

    The mean is off by dmu, and so is every d, by u |d| more. In v, as deviations from the mean
    cancel, dmu counts only squared, m dmu² / (m - 1) <= 2 dmu²; the sum adds (m + 4) u v. As v
    only grows by dmu², q shrinks by no more than all of itself. What follows are sums of m terms
    and `_product`s; torch divides by v + λ where the code by hand multiplies by q, which rounds
    twice more.
    """
    (x,) = _inputs(e).values()
    m, dy = x.shape[2] * x.shape[3], e.dy
    k, over = 4 / (m - 1), {"axis": (2, 3), "keepdims": True}
    d = x - x.mean(**over)
    spread = (d * d).sum(**over) / (m - 1) + e.options["lambda_"]
    q = 1 / (4 * spread)
    dmu = (m + 1) * u * np.abs(x).mean(**over)
    dd = dmu + u * np.abs(d)
    dq = q * (np.minimum((2 * dmu**2 + (m + 4) * u * spread) / spread, 1) + 4 * u)
    energy, denergy = _product(*_product(d, dd, d, dd, u), q, dq, 2 * u)
    total = np.abs(dy * energy).sum(**over)  # Σ |da e|
    dtotal = (np.abs(dy) * denergy).sum(**over)
    dtotal += (m + 4) * u * (total + dtotal)
    share = dy - k * (dy * energy).sum(**over)  # the bracket of (6)
    dshare = k * dtotal + 6 * u * (np.abs(dy) + k * total)
    g, dg = _product(*_product(2 * d, 2 * dd, q, dq, u), share, dshare, 2 * u)
    mean_error = dg.mean(**over) + (m + 2) * u * (np.abs(g) + dg).mean(**over)
    dx = dg + mean_error + u * np.abs(exact["dx"])
    return {"y": denergy + u * (np.abs(exact["y"]) + denergy) + TINY, "dx": dx + TINY}


def _product(a: Any, da: Any, b: Any, db: Any, u: float) -> tuple[Any, Any]:
    """The product of two values that are off by da and db, and how far off it is itself."""
    error = np.abs(a) * db + np.abs(b) * da + da * db
    return a * b, error + u * (np.abs(a * b) + error)


def max_pool2d(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """y is one of the x; dx adds up one dy for each of at most R S windows that x won."""
    e_abs = Example(e.inputs, e.options, np.abs(e.dy))
    dx = run_torch("max_pool2d", e_abs, "float64")["dx"]
    window = math.prod(pair(e.options["kernel_size"], "kernel_size", 1))
    return {"y": 0 * np.abs(exact["y"]), "dx": window * u * dx}


def resize_nearest(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """y repeats x; dx adds up the dy of the repeats."""
    size = _absolute("resize_nearest", e)
    oh, ow = e.options["size"]
    return {"y": 0 * size["y"], "dx": oh * ow * u * size["dx"] + TINY}


def resize_bilinear(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """Two products of at most two terms each, and positions that torch computes in float32.

    A position p near H is off by at most 4 u H, and each of the two weights around it by as much.
    """
    (x,) = _inputs(e).values()
    (h, w), (oh, ow) = x.shape[2:], e.options["size"]
    (a, near_a), (b, near_b) = _tents(oh, h), _tents(ow, w)
    dh, dw = 4 * u * h, 4 * u * w

    def moved(left: np.ndarray, v: np.ndarray, right: np.ndarray) -> np.ndarray:
        return left @ np.abs(v) @ right

    y = 10 * u * moved(a, x, b.T) + dh * moved(near_a, x, b.T) + dw * moved(a, x, near_b.T)
    n = oh * ow + 10
    dx = n * u * moved(a.T, e.dy, b)
    dx += dh * moved(near_a.T, e.dy, b) + dw * moved(a.T, e.dy, near_b)
    return {"y": y + TINY, "dx": dx + n * TINY}


def _tents(out: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix of `hand.resize_bilinear`, and where a weight could be if p were a little off."""
    p = np.clip((np.arange(out)[:, None] + 0.5) * size / out - 0.5, 0, size - 1)
    distance = np.abs(p - np.arange(size))
    return np.maximum(0, 1 - distance), (distance < 1 + 1e-5).astype(float)


def cross_entropy(e: Example, exact: dict[str, np.ndarray], u: float) -> Bounds:
    """log p = below - log Σ exp(below): below rounds relative to itself, and so do exp and log.

    p |below| is at most 1/e, so the sum is off by (2 K + 10) u relative; log turns that into an
    absolute error, and below and log p round once more. Then a sum over all pixels and classes.
    """
    a = _inputs(e)["a"]
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


def whole(value: np.ndarray) -> np.ndarray:
    """What two correct float64 composites may differ by: 2⁻³⁰ of the largest value, at least 2⁻³⁰.

    The stages are judged one by one under bounds of their own; the whole only has to show that
    they are wired rightly, and a wrong wire changes values by as much as they are. Rounding is
    u = 1.1e-16 times a few hundred terms, amplified by at most 1 / sqrt(eps) = 316 in each of two
    batch normalisations over almost equal values: below 1e-9. Integers, which count batches, are
    exact.
    """
    if value.dtype.kind == "i":
        return np.zeros(value.shape)
    return np.full(np.shape(value), 2.0**-30 * max(1.0, float(np.max(np.abs(value), initial=0))))
