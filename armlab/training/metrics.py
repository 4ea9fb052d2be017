"""How good a segmentation is, from one table: how many pixels of each class were called what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class ConfusionMatrix:
    """counts[i, j] is the number of pixels of class i that were predicted to be class j.

        iou_k = counts[k, k] / (row sum k + column sum k - counts[k, k])                  (1)

    (1) is intersection over union: of the pixels that are k or were called k, the share that are
    both. Pixels labelled ignore_index do not count.
    """

    def __init__(self, classes: int, ignore_index: int = 255) -> None:
        self.classes, self.ignore_index = classes, ignore_index
        self.counts = np.zeros((classes, classes), np.int64)

    def add(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        """Count host arrays of integers, both of one shape.

        Raises ValueError for shapes that differ and for numbers that are no class.
        """
        if labels.shape != predictions.shape:
            raise ValueError(
                f"expected predictions in the shape of the labels {labels.shape}, "
                f"got {predictions.shape}: resize one of them"
            )
        counted = labels != self.ignore_index
        pairs = np.stack([labels[counted], predictions[counted]]).astype(np.int64)
        if pairs.size and not 0 <= pairs.min() <= pairs.max() < self.classes:
            raise ValueError(
                f"expected classes 0 to {self.classes - 1}, got {pairs.min()} to {pairs.max()}: "
                "check the number of classes and ignore_index"
            )
        cells = np.bincount(self.classes * pairs[0] + pairs[1], minlength=self.classes**2)
        self.counts += cells.reshape(self.counts.shape)

    def iou(self) -> np.ndarray:
        """Equation (1) for each class; NaN for a class in neither labels nor predictions."""
        both = np.diagonal(self.counts).astype(np.float64)
        either = self.counts.sum(axis=0) + self.counts.sum(axis=1) - both
        iou: np.ndarray = np.divide(
            both, either, out=np.full(self.classes, np.nan), where=either > 0
        )
        return iou

    def mean_iou(self) -> float:
        """Mean of the IoU over the classes that occur; NaN where nothing was counted."""
        iou = self.iou()
        occurs = ~np.isnan(iou)
        return float(iou[occurs].mean()) if occurs.any() else float("nan")

    def pixel_accuracy(self) -> float:
        """Share of pixels called what they are; NaN where nothing was counted."""
        return _share(np.trace(self.counts), self.counts.sum())

    def accuracy_among(self, classes: Sequence[int]) -> float:
        """Of the pixels that are one of these and were called one of them, the share called right.

        It asks whether they are told apart, not whether they are found. NaN where none was, and
        for no classes.
        """
        cells = self.counts[np.ix_(classes, classes)]
        return _share(np.trace(cells), cells.sum())


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")
