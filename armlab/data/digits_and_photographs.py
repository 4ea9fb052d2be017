"""What the generated sets are made of: scikit-learn's handwritten digits and photographs.

The digits are those of `load_digits` (UCI, handwritten). The photographs are china.jpg (by
danielbuechele, flickr.com/photos/danielbuechele/6061409035) and flower.jpg
(flickr.com/photos/vultilion/6056698931; scikit-learn's README attributes it to danielbuechele as
well), both under CC BY 2.0, creativecommons.org/licenses/by/2.0.

Training and test use different digits and different halves of the photographs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from armlab.data.cache import cached
from armlab.hand import resize_bilinear

SPLITS = ("train", "test")
DIGIT = 16  # pixels, twice the 8 of load_digits
SLOT = 20  # columns that a digit may use, so that none covers another
INK = 0.3  # a pixel with more ink than this belongs to the digit
MEAN, STD = 0.37, 0.28  # of the pixels, for all three colours


def to_network(picture: np.ndarray) -> np.ndarray:
    """A picture as a network sees it: (H, W, 3) in 0 ... 1 -> (3, H, W) normalised."""
    return (picture.transpose(2, 0, 1) - MEAN) / STD


def to_rgb(image: np.ndarray) -> np.ndarray:
    """The way back: (3, H, W) normalised -> (H, W, 3) in 0 ... 1."""
    return np.clip(image.transpose(1, 2, 0) * STD + MEAN, 0.0, 1.0)


def expect_split(split: str) -> None:
    """Refuse a split that is neither of the two."""
    if split not in SPLITS:
        raise ValueError(f"expected split 'train' or 'test', got {split!r}: choose one of them")


def digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Ink of a split's digits, (n, DIGIT, DIGIT) in 0 ... 1, and which digit each is, (n,).

    Two thirds of the digits are for training; their order in the set is by writer.
    """
    ink, number = (_packaged()[key] for key in ("ink", "number"))
    border = len(number) * 2 // 3
    part = slice(border) if split == "train" else slice(border, None)
    return ink[part], number[part]


def photographs(split: str) -> list[np.ndarray]:
    """One half of each photograph at half its size, (213, 160, 3) float32 in 0 ... 1."""
    part = slice(0, 160) if split == "train" else slice(160, 320)
    return [photograph[:, part] for photograph in _packaged()["photographs"]]


def random_crop(
    pictures: list[np.ndarray], size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """A crop of one of the pictures, mirrored half of the time.  (H, W, 3)"""
    picture = pictures[rng.integers(len(pictures))]
    top, left = (int(rng.integers(n - m + 1)) for n, m in zip(picture.shape[:2], size, strict=True))
    crop = picture[top : top + size[0], left : left + size[1]]
    return (crop[:, ::-1] if rng.integers(2) else crop).copy()


def columns(width: int, rng: np.random.Generator) -> np.ndarray:
    """Left columns of as many digits as stand side by side in an image of this width."""
    slots = width // SLOT
    room = width // slots - DIGIT
    return np.arange(slots) * (width // slots) + rng.integers(room + 1, size=slots)


def drawn_on(patch: np.ndarray, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light ink on a dark patch, dark ink on a light one, tinted at random."""
    lightest = 0.25 if patch.mean() > 0.5 else 1.0
    colour = (lightest - 0.25 * rng.random(3)).astype(np.float32)
    drawn: np.ndarray = patch + ink[:, :, np.newaxis] * (colour - patch)
    return drawn


@lru_cache
def _packaged() -> dict[str, np.ndarray]:
    """Digits and photographs as they are used; from the cache where they are in it."""
    return cached("pictures", _prepared)


def _prepared() -> dict[str, np.ndarray]:
    datasets = _sklearn_datasets()
    data = datasets.load_digits()
    coarse = (data.images[:, np.newaxis] / 16).astype(np.float32)  # (n, 1, 8, 8)
    smooth, _ = resize_bilinear(coarse, size=DIGIT)
    halved = [
        (image[:426].reshape(213, 2, 320, 2, 3).mean(axis=(1, 3)) / 255).astype(np.float32)
        for image in datasets.load_sample_images().images
    ]
    return {
        "ink": np.minimum(1.3 * smooth[:, 0], 1.0),  # smoothing pales thin strokes
        "number": data.target.astype(np.int64),
        "photographs": np.stack(halved),
    }


def _sklearn_datasets() -> Any:
    try:
        import PIL  # noqa: F401  (scikit-learn reads its photographs with it)
        from sklearn import datasets
    except ImportError as error:
        raise RuntimeError(
            f"the generated sets need scikit-learn and Pillow, and {error.name} is not installed: "
            "install them with  pip install 'armlab[train]'"
        ) from None
    return datasets
