"""Toy scenes whose classes cannot be told apart without looking at the whole image.

Handwritten digits stand on a photograph. A "7" is class A or class B, and only the colour of a
band along the top edge says which; all other digits are background. The band is drawn
independently of everything else, and the digits stand far below it, so a network that sees only
a window of radius 22 or less around a pixel is right between A and B half of the time, whatever
its weights.

The digits are those of scikit-learn's `load_digits` (UCI, handwritten). The photographs are
scikit-learn's china.jpg (by danielbuechele, flickr.com/photos/danielbuechele/6061409035) and
flower.jpg (flickr.com/photos/vultilion/6056698931; scikit-learn's README attributes it to
danielbuechele as well), both under CC BY 2.0, creativecommons.org/licenses/by/2.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from armlab.hand import resize_bilinear

CLASSES = ("background", "A", "B")
SPLITS = ("train", "test")

BAND_ROWS = 8  # rows 0 ... 7
FIRST_ROW = 30  # objects stand in this row and below
DIGIT = 16  # pixels, twice the 8 of load_digits
SLOT = 20  # columns that an object may use, so that none covers another
INK = 0.3  # a pixel with more ink than this belongs to the digit
TARGET = 7  # the digit that is class A or class B

BAND_COLOURS = np.array([[0.90, 0.62, 0.00], [0.34, 0.71, 0.91]], np.float32)  # A orange, B blue
MEAN, STD = 0.37, 0.28  # of the pixels, for all three colours


class Scenes:
    """An endless supply of scenes; scene `index` is the same whenever it is asked for.

    split "train" and "test" use different digits and different halves of the photographs.
    Raises ValueError for another split and for a size outside 48 ... 160, RuntimeError where
    scikit-learn or Pillow is missing.
    """

    def __init__(self, split: str = "train", seed: int = 0, size: int = 64) -> None:
        if split not in SPLITS:
            raise ValueError(f"expected split 'train' or 'test', got {split!r}: choose one of them")
        expect_size(size)
        self.split, self.seed, self.size = split, seed, size
        self._targets, self._others = _digits(split)
        self._photographs = _photographs(split)

    def scene(self, index: int, band: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """One scene. `band` 0 (A) or 1 (B) overrides the state drawn and changes nothing else.

        image  (3, size, size) float32   about zero mean and unit variance
        label  (size, size)    int64     indices into CLASSES
        """
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split), index])
        drawn = int(rng.integers(2))
        state = drawn if band is None else band
        image = self._background(rng)
        label = np.zeros((self.size, self.size), np.int64)
        for left, is_target in self._layout(rng):
            ink = self._digit(rng, is_target)
            top = int(rng.integers(FIRST_ROW, self.size - DIGIT + 1))
            place = (slice(top, top + DIGIT), slice(left, left + DIGIT))
            image[place] = _drawn_on(image[place], ink, rng)
            if is_target:
                label[place][ink > INK] = 1 + state
        image[:BAND_ROWS] = 0.25 * image[:BAND_ROWS] + 0.75 * BAND_COLOURS[state]
        return (image.transpose(2, 0, 1) - MEAN) / STD, label

    def batch(
        self, indices: Iterable[int], band: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Several scenes: images (N, 3, size, size) float32 and labels (N, size, size) int64."""
        images, labels = zip(*(self.scene(index, band) for index in indices), strict=True)
        return np.stack(images), np.stack(labels)

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        """A crop of a photograph, mirrored half of the time.  (size, size, 3)"""
        photograph = self._photographs[rng.integers(len(self._photographs))]
        top, left = (int(rng.integers(n - self.size + 1)) for n in photograph.shape[:2])
        crop = photograph[top : top + self.size, left : left + self.size]
        return (crop[:, ::-1] if rng.integers(2) else crop).copy()

    def _layout(self, rng: np.random.Generator) -> list[tuple[int, bool]]:
        """Left columns of the objects, and which are targets: one surely, the others by a coin."""
        slots = self.size // SLOT
        room = self.size // slots - DIGIT
        lefts = np.arange(slots) * (self.size // slots) + rng.integers(room + 1, size=slots)
        is_target = rng.integers(2, size=slots) == 1
        is_target[rng.integers(slots)] = True
        return [(int(left), bool(t)) for left, t in zip(lefts, is_target, strict=True)]

    def _digit(self, rng: np.random.Generator, is_target: bool) -> np.ndarray:
        digits = self._targets if is_target else self._others
        return digits[rng.integers(len(digits))]


def expect_size(size: int) -> None:
    """Refuse scenes without room for digits far from the band, or larger than the photographs."""
    if not 48 <= size <= 160:
        raise ValueError(f"expected a size of 48 to 160 pixels, got {size}: choose one of these")


def to_rgb(image: np.ndarray) -> np.ndarray:
    """A scene's image as a picture: (3, H, W) normalised -> (H, W, 3) in 0 ... 1."""
    return np.clip(image.transpose(1, 2, 0) * STD + MEAN, 0.0, 1.0)


def _drawn_on(patch: np.ndarray, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light ink on a dark patch, dark ink on a light one, tinted at random."""
    lightest = 0.25 if patch.mean() > 0.5 else 1.0
    colour = (lightest - 0.25 * rng.random(3)).astype(np.float32)
    return patch + ink[:, :, np.newaxis] * (colour - patch)


@lru_cache
def _digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The target digits and all others of a split, (n, DIGIT, DIGIT) in 0 ... 1.

    Two thirds of the digits are for training; their order in the set is by writer.
    """
    data = _sklearn_datasets().load_digits()
    border = len(data.target) * 2 // 3
    part = slice(border) if split == "train" else slice(border, None)
    coarse = (data.images[part, np.newaxis] / 16).astype(np.float32)  # (n, 1, 8, 8)
    smooth, _ = resize_bilinear(coarse, size=DIGIT)
    ink = np.minimum(1.3 * smooth[:, 0], 1.0)  # smoothing pales thin strokes, 1.3 makes up for it
    is_target = data.target[part] == TARGET
    return ink[is_target], ink[~is_target]


@lru_cache
def _photographs(split: str) -> list[np.ndarray]:
    """One half of each photograph at half its size, (213, 160, 3) float32 in 0 ... 1."""
    images = _sklearn_datasets().load_sample_images().images
    halved = [im[:426].reshape(213, 2, 320, 2, 3).mean(axis=(1, 3)) / 255 for im in images]
    part = slice(0, 160) if split == "train" else slice(160, 320)
    return [im[:, part].astype(np.float32) for im in halved]


def _sklearn_datasets() -> Any:
    try:
        import PIL  # noqa: F401  (scikit-learn reads its photographs with it)
        from sklearn import datasets
    except ImportError as error:
        raise RuntimeError(
            f"the scenes need scikit-learn and Pillow, and {error.name} is not installed: "
            "install them with  pip install 'armlab[train]'"
        ) from None
    return datasets
