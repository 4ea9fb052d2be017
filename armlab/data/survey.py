"""What is known of images and masks without keeping any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from armlab.data.label_values import LabelValues
from armlab.data.left_out import LeftOut
from armlab.data.size import Size

NAMED = 3  # files, where there may be many
THICK = 7  # pixels: a border between objects holds no square of this side


@dataclass
class Part:
    """The training images, or the test images.

    pairs           its files, an image and its mask each; () of a generated set
    digest          SHA-256 of all their names and bytes
    pixels, images  (256,) int64  by value in the masks' files: its pixels, the masks that have it
    sizes           (height, width) of each image
    first           the first mask that has a value
    void            how many masks have no pixel that counts, and the first of them
    thick           whether 0 fills a square somewhere, as a border never does
    """

    labels: LabelValues
    pairs: Sequence[tuple[Path, Path]] = ()
    digest: str = ""
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    images: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    sizes: list[Size] = field(default_factory=list)
    first: dict[int, str] = field(default_factory=dict)
    voids: int = 0
    void: list[str] = field(default_factory=list)
    thick: bool = False

    def add(self, name: str, mask: np.ndarray) -> None:
        """One more image, by its mask (H, W) as the file has it."""
        found = np.bincount(mask.ravel(), minlength=256)
        self.pixels += found
        self.images += found > 0
        self.sizes.append((mask.shape[0], mask.shape[1]))
        for value in np.flatnonzero(found):
            self.first.setdefault(int(value), name)
        if not found[self._counted].any():
            self.voids += 1
            self.void += [name] if self.voids <= NAMED else []
        if found[0] and not self.thick:
            self.thick = _fills_a_square(mask == 0)

    @property
    def of_class(self) -> np.ndarray:
        """(K,) int64: pixels of each class; 0 of one that is ignored."""
        return self._in_classes(self.pixels)

    @property
    def images_with(self) -> np.ndarray:
        """(K,) int64: the images in which each class occurs."""
        return self._in_classes(self.images)

    @property
    def ignored(self) -> float:
        """The share of the pixels that do not count."""
        ignored = 0 if self.labels.ignored is None else self.pixels[self.labels.ignored]
        return float(ignored / max(self.pixels.sum(), 1))

    @property
    def unknown(self) -> list[int]:
        """The values that are neither a class nor ignored."""
        return [int(v) for v in np.flatnonzero(self.pixels * ~self.labels.known)]

    @property
    def size_span(self) -> tuple[Size, Size, Size]:
        """The smallest image, the one in the middle and the largest, by their areas."""
        by_area = sorted(self.sizes, key=lambda size: size[0] * size[1])
        return by_area[0], by_area[(len(by_area) - 1) // 2], by_area[-1]

    @property
    def _counted(self) -> list[int]:
        return [self.labels.values[k] for k in self.labels.counted]

    def _in_classes(self, by_value: np.ndarray) -> np.ndarray:
        found = by_value[list(self.labels.values)]
        found[[k for k in range(len(found)) if k not in self.labels.counted]] = 0
        return found


@dataclass(frozen=True)
class Survey:
    """Both parts of some data.

    data         the folder, or the name of a generated set
    classes      the name of each class
    named        whether somebody gave them these names
    clash        two masks whose palettes give one number two colours, in words; "" for none
    left_out     files that are read for neither part, and why
    """

    data: str
    classes: tuple[str, ...]
    named: bool
    labels: LabelValues
    training: Part
    test: Part
    clash: str = ""
    left_out: Sequence[LeftOut] = ()

    @property
    def parts(self) -> dict[str, Part]:
        return {"training": self.training, "test": self.test}

    @property
    def is_border(self) -> bool:
        """Whether 0 occurs, and nowhere as more than a line."""
        return 0 in self.values and not (self.training.thick or self.test.thick)

    @property
    def values(self) -> list[int]:
        """Every value that some mask has."""
        return [int(v) for v in np.flatnonzero(self.training.pixels + self.test.pixels)]


def _fills_a_square(where: np.ndarray) -> bool:
    """Whether some square of THICK by THICK pixels is True throughout."""
    if min(where.shape) < THICK:
        return False
    for axis in (0, 1):  # the windows of THICK rows that are all True, and then of columns
        windows = np.lib.stride_tricks.sliding_window_view(where, THICK, axis=axis)
        where = np.asarray(windows.all(axis=-1))
    return bool(where.any())
