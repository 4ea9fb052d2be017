"""What training does to a photograph and its mask: flip, crop, scale, recolour.

    image  (H, W, 3) uint8; float32 in 0 ... 1 once it is recoloured
    mask   (H, W)    uint8

Each step is a pure function of what it is given; `augmented` alone draws, from one generator.
Images are interpolated, labels never: half-way between two classes there is no class.
"""

from __future__ import annotations

import numpy as np

from armlab.data.size import Size

SCALES = (0.5, 2.0)  # drawn evenly on a logarithmic scale
CHANGE = 0.3  # brightness, contrast and saturation by a factor of 1 - CHANGE ... 1 + CHANGE
ATTEMPTS = 10  # at a crop in which some pixel counts
GREYS = np.array([0.299, 0.587, 0.114], np.float32)  # how bright red, green and blue look
PADDING = 94  # MEAN of 255: about 0 for the network

Pair = tuple[np.ndarray, np.ndarray]


def flipped(image: np.ndarray, mask: np.ndarray) -> Pair:
    """Left and right exchanged."""
    return image[:, ::-1], mask[:, ::-1]


def scaled(image: np.ndarray, mask: np.ndarray, size: Size) -> Pair:
    """Both in another size: the image bilinear, the mask by its nearest label."""
    from PIL import Image

    height, width = size
    return (
        np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)),
        np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)),
    )


def padded(image: np.ndarray, mask: np.ndarray, size: Size, ignore_index: int) -> Pair:
    """At least of this size: grey pixels that do not count, below and on the right."""
    below, right = (max(0, m - n) for n, m in zip(mask.shape, size, strict=True))
    return (
        np.pad(image, ((0, below), (0, right), (0, 0)), constant_values=PADDING),
        np.pad(mask, ((0, below), (0, right)), constant_values=ignore_index),
    )


def cropped(image: np.ndarray, mask: np.ndarray, top: int, left: int, size: Size) -> Pair:
    """The rectangle of this size from (top, left) on."""
    place = (slice(top, top + size[0]), slice(left, left + size[1]))
    return image[place], mask[place]


def centred(image: np.ndarray, mask: np.ndarray, size: Size, ignore_index: int) -> Pair:
    """The crop from the middle, padded where the image is smaller: no draw at all."""
    image, mask = padded(image, mask, size, ignore_index)
    top, left = ((n - m) // 2 for n, m in zip(mask.shape, size, strict=True))
    return cropped(image, mask, top, left, size)


def recoloured(
    image: np.ndarray, brightness: float, contrast: float, saturation: float
) -> np.ndarray:
    """An image of 0 ... 1 with each of the three times its factor; 1 changes nothing.

    x b, then away from or towards the mean grey, then away from or towards each pixel's own grey.
    """
    image = image * brightness
    mean = float((image @ GREYS).mean())
    image = mean + contrast * (image - mean)
    grey = (image @ GREYS)[:, :, np.newaxis]
    return np.clip(grey + saturation * (image - grey), 0.0, 1.0)


def augmented(
    image: np.ndarray, mask: np.ndarray, size: Size, ignore_index: int, rng: np.random.Generator
) -> Pair:
    """All of them in turn: the image as float32 in 0 ... 1, both of this size.

    What is cut out is size / scale and becomes `size`, so that no larger image is ever made.
    """
    if rng.integers(2):
        image, mask = flipped(image, mask)
    low, high = np.log(SCALES)
    scale = float(np.exp(rng.uniform(low, high)))
    window = max(1, round(size[0] / scale)), max(1, round(size[1] / scale))
    image, mask = padded(image, mask, window, ignore_index)
    image, mask = _random_crop(image, mask, window, ignore_index, rng)
    image, mask = scaled(image, mask, size)
    b, c, s = (float(factor) for factor in rng.uniform(1 - CHANGE, 1 + CHANGE, size=3))
    return recoloured(as_float(image), b, c, s), mask


def as_float(image: np.ndarray) -> np.ndarray:
    """uint8 0 ... 255 -> float32 0 ... 1."""
    return image.astype(np.float32) / 255


def _random_crop(
    image: np.ndarray, mask: np.ndarray, size: Size, ignore_index: int, rng: np.random.Generator
) -> Pair:
    """A crop in which some pixel counts, if one is found: others have nothing to teach."""
    for _ in range(ATTEMPTS):
        top, left = (int(rng.integers(n - m + 1)) for n, m in zip(mask.shape, size, strict=True))
        found = cropped(image, mask, top, left, size)
        if np.any(found[1] != ignore_index):
            break
    return found
