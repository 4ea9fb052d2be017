"""The generated sets as a `Dataset`: scenes made one by one as the training asks for them.

Training scenes are not kept: to make one is a small part of the step that it is for (on your
machine: python -m timeit -s "from armlab.data import Scenes; s = Scenes()" "s.scene(1)"), and the
4,800 images of a run of 600 steps would fill 236 MB. What every evaluation needs again is made
once and kept in memory; what every process needs again, the prepared pictures, on disk (`cache`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from armlab.data.colours import palette
from armlab.data.dataset import Batch
from armlab.data.digits import DigitScenes
from armlab.data.digits_and_photographs import to_rgb
from armlab.data.scenes import Scene, Scenes
from armlab.data.scenes_hard import HardScenes
from armlab.data.size import Size
from armlab.data.survey import Survey

TEST_SCENES = 64  # of seed 0, so the same test images for every run
CHUNK = 16  # test scenes at a time
SHOWN = (1, 7)  # test scenes for pictures
COUNTED = 256  # training scenes, for class_counts


class Supply(Protocol):
    """What `Scenes`, `HardScenes` and `DigitScenes` have in common."""

    classes: tuple[str, ...]
    told_apart: tuple[int, ...]

    def __init__(self, split: str, seed: int, size: Any) -> None: ...
    def batch(self, indices: Iterable[int]) -> Batch: ...
    def views(self, index: int) -> list[Scene]: ...


GENERATED: dict[str, type[Supply]] = {
    "scenes": Scenes,
    "scenes-hard": HardScenes,
    "digits": DigitScenes,
}


class Generated:
    """See `Dataset`."""

    ignore_index = 255
    fingerprint = ""
    survey: Survey | None = None

    def __init__(self, kind: type[Supply], seed: int, size: Size) -> None:
        self.classes, self.told_apart = kind.classes, kind.told_apart
        self.colours = palette(len(kind.classes))
        self._kind, self._size = kind, size
        self._train = kind("train", seed, size)

    def training(self, indices: range) -> Batch:
        return self._train.batch(indices)

    def testing(self, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        for first in range(0, TEST_SCENES, CHUNK)[rank::ranks]:
            scenes = range(first, min(first + CHUNK, TEST_SCENES))
            yield _test_batch(self._kind, self._size, scenes)

    def shown(self) -> Batch:
        return _views(self._kind("test", 0, self._size), SHOWN)

    def class_counts(self) -> np.ndarray:
        _, labels = self.training(range(COUNTED))
        return np.bincount(labels.ravel(), minlength=len(self.classes))

    def picture(self, image: np.ndarray) -> np.ndarray:
        return to_rgb(image)


@lru_cache(maxsize=TEST_SCENES // CHUNK)  # all of one set, or of a rank its own
def _test_batch(kind: type[Supply], size: Size, scenes: range) -> Batch:
    batch = _views(kind("test", 0, size), scenes)
    for array in batch:
        array.setflags(write=False)  # shared by all who ask
    return batch


def _views(test: Supply, indices: Iterable[int]) -> Batch:
    images, labels = zip(*(view for i in indices for view in test.views(i)), strict=True)
    return np.stack(images), np.stack(labels)
