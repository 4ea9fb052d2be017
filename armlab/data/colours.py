"""A colour for each class, the same in every picture."""

from __future__ import annotations

import colorsys

import numpy as np

# Light grey, then Okabe and Ito: told apart with any colour vision
FIRST = ("F2F2F2", "E69F00", "0072B2", "009E73", "D55E00", "CC79A7", "56B4E9", "F0E442")
GOLDEN = 0.618034  # of a turn: hues in steps of this never come close soon


def palette(classes: int) -> np.ndarray:
    """(classes, 3) in 0 ... 1; class 0 is light grey."""
    known = [[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in FIRST[:classes]]
    more = [
        list(colorsys.hsv_to_rgb(GOLDEN * i % 1, 0.45 + 0.15 * (i % 3), 0.75 - 0.2 * (i % 2)))
        for i in range(classes - len(known))
    ]
    return np.array(known + more)
