"""What a trained network makes of scenes that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from armlab.data import CLASSES, Scenes
from armlab.training.learner import Learner
from armlab.training.metrics import ConfusionMatrix

TEST_SCENES = 64  # each with both bands: the same 128 images for every run
CHUNK = 16
A, B = CLASSES.index("A"), CLASSES.index("B")
SHOWN = (1, 7)  # test scenes for the picture, each with both bands


def evaluate(learner: Learner, size: int) -> ConfusionMatrix:
    """Count every pixel of a fixed set of test scenes.

    Each scene appears with its band in both states and all else equal, so a network that cannot
    see the band from the digits gets exactly half of their pixels right between A and B.
    """
    scenes, matrix = Scenes("test", seed=0, size=size), ConfusionMatrix(len(CLASSES))
    for start in range(0, TEST_SCENES, CHUNK):
        for band in (0, 1):
            images, labels = scenes.batch(range(start, start + CHUNK), band)
            matrix.add(labels, learner.predict(images))
    return matrix


@dataclass(frozen=True)
class Gallery:
    """A few test scenes and what a network made of them, for the picture of a run."""

    images: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    gates: np.ndarray | None


def shown(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two scenes, each with both bands: the same digits are A in one and B in the other."""
    scenes = Scenes("test", seed=0, size=size)
    chosen = [scenes.scene(index, band) for index in SHOWN for band in (0, 1)]
    images, labels = (np.stack(part) for part in zip(*chosen, strict=True))
    return images, labels


def gallery(learner: Learner, size: int) -> Gallery:
    """The scenes shown, as the network sees them."""
    images, labels = shown(size)
    return Gallery(images, labels, learner.predict(images), learner.gate(images))
