"""A few images of some data with their masks, to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from armlab.data.augmentation import as_float
from armlab.data.dataset import Batch, Dataset
from armlab.data.fitting_pair import read_pair
from armlab.data.survey import Part, Survey

EACH = 4  # of the training images, and of the test images


@dataclass(frozen=True)
class Sample:
    """An image with the class of each pixel.

    picture  (H, W, 3) in 0 ... 1
    classes  (H, W)  0 to K - 1; K where a pixel is ignored, K + 1 where its label is no class
    """

    name: str
    picture: np.ndarray
    classes: np.ndarray


def of_folder(survey: Survey) -> dict[str, list[Sample]]:
    """Of both parts, from the first image to the last. Raises ValueError as `read_pair` does."""
    return {name: _of_part(part) for name, part in survey.parts.items()}


def of_generated(dataset: Dataset) -> dict[str, list[Sample]]:
    """Training scenes, and the test scenes that every picture of a run shows."""
    shown = {"training": dataset.training(range(EACH)), "test": dataset.shown()}
    return {name: _of_batch(dataset, name, batch) for name, batch in shown.items()}


def spread(count: int, most: int = EACH) -> list[int]:
    """Up to `most` of the numbers below count, evenly from the first to the last."""
    found: list[int] = np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()
    return found


def _of_part(part: Part) -> list[Sample]:
    chosen = [part.pairs[n] for n in spread(len(part.pairs))]
    return [
        Sample(path.name, as_float(image), part.labels.shown(mask))
        for path, (image, mask) in ((pair[0], read_pair(*pair)) for pair in chosen)
    ]


def _of_batch(dataset: Dataset, name: str, batch: Batch) -> list[Sample]:
    return [
        Sample(f"{name} {number}", dataset.picture(image), label)
        for number, (image, label) in enumerate(zip(*batch, strict=True))
    ]
