"""What is in the generated sets, as in a folder: some of the training scenes, and the test's."""

from __future__ import annotations

import numpy as np

from armlab.data.generated import COUNTED, Generated
from armlab.data.label_values import LabelValues
from armlab.data.survey import Part, Survey


def survey_of(name: str, dataset: Generated) -> Survey:
    """The first COUNTED of an endless supply of training scenes, and all test scenes."""
    labels = LabelValues.of(len(dataset.classes), dataset.ignore_index)
    training, test = Part(labels), Part(labels)
    _add(training, dataset.training(range(COUNTED))[1])
    for _, masks in dataset.testing():
        _add(test, masks)
    return Survey(name, dataset.classes, True, labels, training, test)


def _add(part: Part, masks: np.ndarray) -> None:
    for mask in masks:
        part.add(f"scene {len(part.sizes)}", mask.astype(np.uint8))
