"""What a trained network makes of images that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from armlab.data import Batch, Dataset
from armlab.training.learner import Learner
from armlab.training.metrics import ConfusionMatrix
from armlab.training.shared_step import SharedStep


def evaluate(learner: Learner, dataset: Dataset) -> ConfusionMatrix:
    """Count every pixel of the test images, one batch in memory at a time.

    Ranks call it together: each looks at its own batches with the network of rank 0, and all get
    the counts of all, which are those of one process to the last pixel.
    """
    if not isinstance(learner, SharedStep):
        return _count(learner, dataset, dataset.testing())
    group = learner.group
    learner.take_statistics()
    matrix = _count(learner, dataset, dataset.testing(group.rank, group.size))
    matrix.counts = group.sum(matrix.counts)
    return matrix


def _count(learner: Learner, dataset: Dataset, batches: Iterable[Batch]) -> ConfusionMatrix:
    matrix = ConfusionMatrix(len(dataset.classes), dataset.ignore_index)
    for images, labels in batches:
        matrix.add(labels, learner.predict(images))
    return matrix


@dataclass(frozen=True)
class Gallery:
    """A few test images and what a network made of them, for the picture of a run."""

    images: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    gates: np.ndarray | None


def gallery(learner: Learner, dataset: Dataset) -> Gallery:
    """The images that the data set shows, such as scenes with their band in both states."""
    images, labels = dataset.shown()
    return Gallery(images, labels, learner.predict(images), learner.gate(images))
