"""Scenes without a question of context: each digit is its own class, wherever it stands.

A window as large as a digit holds all there is to know about its class, so attention to the rest
of the image should not help here. It is the other half of the experiment with `scenes`.

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
from armlab.data.scenes import Scene
from armlab.data.size import expect_scene_size


class DigitScenes:
    """An endless supply of digits on photographs; see `Scenes` for the arguments."""

    classes: tuple[str, ...] = ("background", *"0123456789")
    told_apart: tuple[int, ...] = ()

    def __init__(self, split: str = "train", seed: int = 0, size: Any = (64, 64)) -> None:
        expect_split(split)
        self.split, self.seed, self.size = split, seed, expect_scene_size(size)
        self._ink, self._number = digits(split)
        self._photographs = photographs(split)

    def scene(self, index: int) -> Scene:
        """Image (3, H, W) float32 and label (H, W) int64: 0, or 1 + the digit."""
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split), index])
        image = random_crop(self._photographs, self.size, rng)
        label = np.zeros(self.size, np.int64)
        for left in columns(self.size[1], rng):
            chosen = rng.integers(len(self._ink))
            top = int(rng.integers(self.size[0] - DIGIT + 1))
            place = (slice(top, top + DIGIT), slice(left, left + DIGIT))
            image[place] = drawn_on(image[place], self._ink[chosen], rng)
            label[place][self._ink[chosen] > INK] = 1 + self._number[chosen]
        return to_network(image), label

    def batch(self, indices: Iterable[int]) -> Scene:
        """Several scenes: images (N, 3, H, W) float32 and labels (N, H, W) int64."""
        images, labels = zip(*(self.scene(index) for index in indices), strict=True)
        return np.stack(images), np.stack(labels)

    def views(self, index: int) -> list[Scene]:
        """A test scene: there is no cue to change."""
        return [self.scene(index)]
