"""What a trained network makes of images that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from armlab.data import Dataset
from armlab.training.learner import Learner
from armlab.training.metrics import ConfusionMatrix


def evaluate(learner: Learner, dataset: Dataset) -> ConfusionMatrix:
    """Count every pixel of the test images, one batch in memory at a time."""
    matrix = ConfusionMatrix(len(dataset.classes), dataset.ignore_index)
    for images, labels in dataset.testing():
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
