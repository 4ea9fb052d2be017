"""Scenes that ask for context as the default ones do, and make it hard to learn.

A "7" is class A or B and a "3" is class C or D; all other digits are background. Which of the two
it is, only the colour of a lamp says, 8 by 8 pixels somewhere along the top edge. Hard are

- the lamp: 64 of 64 · 64 pixels, 1.6 % of the image, where the band covers 12.5 %. In a mean over
  the whole image it weighs as much less, and it has no fixed place;
- the classes: a network has to find two digits among ten before the lamp is of any use, and until
  it looks at the lamp the best answer between A and B, and between C and D, is 1/2.

The lamp is drawn independently of everything else and the digits stand as far below it as they
do below the band, so what is proved of the scenes holds here: a network that sees only a window
of radius 22 or less gives both states the same answer, and at most one of the two is right.

The authors and licences of what they are made of stand in `digits_and_photographs`.
"""

from __future__ import annotations

import numpy as np

from armlab.data.scenes import BAND_ROWS, Scenes

LAMP = BAND_ROWS  # columns: the lamp is a square


class HardScenes(Scenes):
    """See `Scenes`: another cue, and two digits that need it."""

    classes: tuple[str, ...] = ("background", "A", "B", "C", "D")
    told_apart: tuple[int, ...] = (1, 2, 3, 4)
    targets: tuple[int, ...] = (7, 3)

    def _cue_columns(self, rng: np.random.Generator) -> slice:
        left = int(rng.integers(self.size[1] - LAMP + 1))
        return slice(left, left + LAMP)
