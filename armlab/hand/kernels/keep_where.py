"""Choose by multiplying bits: what a mask keeps, and 0 elsewhere.

A product with a mask would make an infinity NaN. NumPy's `where` decides for each element and
takes ten times as long. So the bits of x, read as whole numbers, are multiplied by 1 or 0:
0 times any bits is 0.0, and 1 times them is x, NaN and infinities too.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.unbuffered import unbuffered


def keep_where(mask: np.ndarray, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """x where the mask holds, else 0. x is repeated to the shape of the mask.

    out  where the result is written, if it is there already
    """
    kind = f"i{x.itemsize}"
    if out is None:
        out = np.empty_like(mask, dtype=x.dtype)
    bits = out.view(kind)
    bits[...] = mask
    with unbuffered(0 if x.shape == mask.shape else mask.size):
        bits *= x.view(kind)
    return out
