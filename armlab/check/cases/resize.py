"""Resizing, bilinear and to the nearest."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, absolute, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import of_x, smooth
from armlab.check.special import where_no_pixel_is_passed_over
from armlab.check.strategies import Source


def resize(s: Source, **more: Any) -> Example:
    n, c, h, w = s.features()
    size = (s.pick(1, 2, 3, 5, 8, 13), s.pick(2, 1, 4, 7, 12))
    x = s.array("x", (n, c, h, w))
    return Example(
        {"x": x}, {"size": size, **more}, s.array("dy", (n, c, *size)), layouts=s.layouts
    )


def resize_bilinear(s: Source) -> Example:
    return resize(s, align_corners=s.pick(False, True))


def bound_nearest(e: Example, exact: Exact, u: float) -> Bounds:
    """y repeats x; dx adds up the dy of the repeats."""
    size = absolute("resize_nearest", e)
    oh, ow = e.options["size"]
    return {"y": 0 * size["y"], "dx": oh * ow * u * size["dx"] + TINY}


def bound_bilinear(e: Example, exact: Exact, u: float) -> Bounds:
    """Two products of at most two terms each, and positions that torch computes in float32.

    A position p near H is off by at most 4 u H, and each of the two weights around it by as much.
    With aligned corners it is off by less: p is a ratio, rounded once, times i, rounded again.
    """
    (x,) = float64_inputs(e).values()
    (h, w), (oh, ow) = x.shape[2:], e.options["size"]
    aligned = bool(e.options.get("align_corners"))
    (a, near_a), (b, near_b) = _tents(oh, h, aligned), _tents(ow, w, aligned)
    dh, dw = 4 * u * h, 4 * u * w

    def moved(left: np.ndarray, v: np.ndarray, right: np.ndarray) -> np.ndarray:
        product: np.ndarray = left @ np.abs(v) @ right
        return product

    y = 10 * u * moved(a, x, b.T) + dh * moved(near_a, x, b.T) + dw * moved(a, x, near_b.T)
    n = oh * ow + 10
    dx = n * u * moved(a.T, e.dy, b)
    dx += dh * moved(near_a.T, e.dy, b) + dw * moved(a.T, e.dy, near_b)
    return {"y": y + TINY, "dx": dx + n * TINY}


def _tents(out: int, size: int, aligned: bool) -> tuple[np.ndarray, np.ndarray]:
    """The matrix of `hand.resize_bilinear`, and where a weight could be if p were a little off."""
    i = np.arange(out)[:, None]
    p = i * (size - 1) / max(out - 1, 1) if aligned else (i + 0.5) * size / out - 0.5
    p = np.clip(p, 0, size - 1)
    distance = np.abs(p - np.arange(size))
    return np.maximum(0, 1 - distance), (distance < 1 + 1e-5).astype(float)


TIMED = (Timed({"x": (8, 32, 32, 32)}, {"size": (64, 64)}),)
CASES = [
    Case(
        "resize_bilinear",
        resize_bilinear,
        bound_bilinear,
        special=where_no_pixel_is_passed_over,
        calls={
            "": of_x(smooth, size=(7, 3)),
            "corners aligned": of_x(smooth, size=(7, 3), align_corners=True),
        },
        cost=(0, 4 * 2 * 6 * 7 * 3),
        timed=TIMED,
    ),
    Case(
        "resize_nearest",
        resize,
        bound_nearest,
        resize,
        special=where_no_pixel_is_passed_over,
        calls={"": of_x(smooth, size=(3, 8))},
        cost=(0, 0),
        timed=TIMED,
    ),
]

FAULTS = [
    Fault(
        "resize_bilinear: corners aligned",
        "resize_bilinear",
        "resize",
        "_positions",
        "(1)",
        "return i * ((size - 1) / max(out - 1, 1))",
        "pixel centres lie half a pixel in (align_corners=False)",
    ),
    Fault(
        "resize_bilinear: aligned corners half a pixel in",
        "resize_bilinear",
        "resize",
        "_positions",
        "(2)",
        "return (i + 0.5) * (size / out) - 0.5",
        "align_corners lays the first and the last pixels on each other: i (H - 1) / (OH - 1)",
    ),
    Fault(
        "resize_bilinear: aligned corners count pixels, not steps",
        "resize_bilinear",
        "resize",
        "_positions",
        "(2)",
        "return i * (size / out)",
        "from the first pixel to the last there are H - 1 steps, and OH - 1 in y",
    ),
    Fault(
        "resize_nearest: mean for sum",
        "resize_nearest",
        "resize",
        "resize_nearest.backward",
        "a, b",
        "copies = _ones_at(dy, rows, h), _ones_at(dy, columns, w)\n"
        "counts = (xp.maximum(xp.sum(a, axis=0), xp.ones_like(a[0, :])) for a in copies)\n"
        "a, b = (a / count for a, count in zip(copies, counts, strict=True))",
        "one pixel repeated several times collects the sum of its gradients, not their mean",
    ),
    Fault(
        "resize_nearest: only the last copy is heard",
        "resize_nearest",
        "resize",
        "resize_nearest.backward",
        "a, b",
        "copies = _ones_at(dy, rows, h), _ones_at(dy, columns, w)\n"
        "last = (xp.cumulative_sum(a, axis=0) == xp.sum(a, axis=0) for a in copies)\n"
        "a, b = (a * xp.astype(at, a.dtype) for a, at in zip(copies, last, strict=True))",
        "a pixel that was repeated has several gradients, and only the last of them stays: add up",
    ),
    Fault(
        "resize_bands: bands too narrow",
        "resize_bilinear",
        "kernels/resize_bands",
        "bands",
        "used",
        "used = np.flatnonzero(matrix[rows].all(axis=0))",
        "a column counts where any of its rows is not 0, not where all are",
    ),
]
