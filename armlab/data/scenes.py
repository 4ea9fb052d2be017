"""Toy scenes whose classes cannot be told apart without looking at the whole image.

Handwritten digits stand on a photograph. A "7" is class A or class B, and only the colour of a
band along the top edge says which; all other digits are background. The band is drawn
independently of everything else, and the digits stand far below it, so a network that sees only
a window of radius 22 or less around a pixel is right between A and B half of the time, whatever
its weights.

The authors and licences of what they are made of stand in `digits_and_photographs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from armlab.data.digits_and_photographs import (
    DIGIT,
    INK,
    SPLITS,
    columns,
    digits,
    drawn_on,
    expect_split,
    photographs,
    random_crop,
    to_network,
)
from armlab.data.size import expect_scene_size

CLASSES = ("background", "A", "B")
BAND_ROWS = 8  # rows 0 ... 7
FIRST_ROW = 30  # digits stand in this row and below
BAND_COLOURS = np.array([[0.90, 0.62, 0.00], [0.34, 0.71, 0.91]], np.float32)  # A orange, B blue
STATES = (0, 1)  # of the band

Scene = tuple[np.ndarray, np.ndarray]


class Scenes:
    """An endless supply of scenes; scene `index` is the same whenever it is asked for.

    size is (height, width), or one number for both. split "train" and "test" use different digits
    and different halves of the photographs. Raises ValueError for another split and for a side
    outside 48 ... 160, RuntimeError where scikit-learn or Pillow is missing.
    """

    classes: tuple[str, ...] = CLASSES
    told_apart: tuple[int, ...] = (1, 2)
    targets: tuple[int, ...] = (7,)  # digits that are a class; each has one for either state

    def __init__(self, split: str = "train", seed: int = 0, size: Any = (64, 64)) -> None:
        expect_split(split)
        self.split, self.seed, self.size = split, seed, expect_scene_size(size)
        ink, number = digits(split)
        self._targets = [ink[number == target] for target in self.targets]
        self._others = ink[~np.isin(number, self.targets)]
        self._photographs = photographs(split)

    def scene(self, index: int, state: int | None = None) -> Scene:
        """One scene. `state` 0 or 1 overrides the band's state drawn and changes nothing else.

        image  (3, H, W) float32   about zero mean and unit variance
        label  (H, W)    int64     indices into `classes`
        """
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split), index])
        drawn = int(rng.integers(2))
        state = drawn if state is None else state
        image = random_crop(self._photographs, self.size, rng)
        label = np.zeros(self.size, np.int64)
        for left, is_target in self._layout(rng):
            ink, first = self._digit(rng, is_target)
            top = int(rng.integers(FIRST_ROW, self.size[0] - DIGIT + 1))
            place = (slice(top, top + DIGIT), slice(left, left + DIGIT))
            image[place] = drawn_on(image[place], ink, rng)
            if is_target:
                label[place][ink > INK] = first + state
        cue = (slice(BAND_ROWS), self._cue_columns(rng))
        image[cue] = 0.25 * image[cue] + 0.75 * BAND_COLOURS[state]
        return to_network(image), label

    def batch(self, indices: Iterable[int], state: int | None = None) -> Scene:
        """Several scenes: images (N, 3, H, W) float32 and labels (N, H, W) int64."""
        images, labels = zip(*(self.scene(index, state) for index in indices), strict=True)
        return np.stack(images), np.stack(labels)

    def views(self, index: int) -> list[Scene]:
        """A test scene with its band in each state and all else equal.

        So a network that cannot see the band from the digits gets exactly half of their pixels
        right between A and B.
        """
        return [self.scene(index, state) for state in STATES]

    def _layout(self, rng: np.random.Generator) -> list[tuple[int, bool]]:
        """Left columns of the digits, and which are targets: one surely, the others by a coin."""
        lefts = columns(self.size[1], rng)
        is_target = rng.integers(2, size=len(lefts)) == 1
        is_target[rng.integers(len(lefts))] = True
        return [(int(left), bool(t)) for left, t in zip(lefts, is_target, strict=True)]

    def _digit(self, rng: np.random.Generator, is_target: bool) -> tuple[np.ndarray, int]:
        """A digit's ink, and its class in state 0."""
        kind = int(rng.integers(len(self.targets))) if is_target else 0
        choice = self._targets[kind] if is_target else self._others
        return choice[rng.integers(len(choice))], 1 + 2 * kind

    def _cue_columns(self, rng: np.random.Generator) -> slice:
        """Where along the top edge the cue is: all of it."""
        return slice(None)
