"""Wrong versions of `hand/resize.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "resize_bilinear: corners aligned",
        "resize_bilinear",
        "resize",
        "_tents",
        "p",
        "p = xp.minimum(xp.maximum(i * ((size - 1) / max(out - 1, 1)), 0.0), size - 1.0)",
        "pixel centres lie half a pixel in (align_corners=False)",
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
        "reach",
        "reach = 0.0",
        "a pixel meets what lies within a pixel of it, on the coarser side",
    ),
]
