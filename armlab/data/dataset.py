"""What the training asks of its data, whatever the data are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from armlab.data.survey import Survey

Batch = tuple[np.ndarray, np.ndarray]  # images (N, 3, H, W) float32, labels (N, H, W) int64


class Dataset(Protocol):
    """Images with a class for every pixel; the same settings always give the same images.

    classes       the name of each class, by its number
    ignore_index  the label of pixels that do not count
    colours       (K, 3) in 0 ... 1, one for each class, for pictures
    told_apart    the classes that only context tells apart; () where there are none
    fingerprint   changes when files that the data come from do; "" where there are none
    survey        what was found in these files; None where there are none
    """

    classes: tuple[str, ...]
    ignore_index: int
    colours: np.ndarray
    told_apart: tuple[int, ...]
    fingerprint: str

    @property
    def survey(self) -> Survey | None: ...

    def training(self, indices: range) -> Batch:
        """Samples of an endless supply: sample i is the same whenever it is asked for."""

    def testing(self, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """Every test image, always in the same order; images of one batch have one size.

        Of so many ranks each has every `ranks`-th batch, from its own number on; maybe none.
        """

    def shown(self) -> Batch:
        """A few test images of one size, for pictures."""

    def class_counts(self) -> np.ndarray:
        """Pixels of each class in training images, (K,) int64, for class weights."""

    def picture(self, image: np.ndarray) -> np.ndarray:
        """An image as the network sees it, (3, H, W), as a picture (H, W, 3) in 0 ... 1."""
