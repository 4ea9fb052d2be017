"""What a trained network says of any image: a mask, an overlay and the gates, at its own size."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from armlab import plots
from armlab.data.augmentation import as_float
from armlab.data.colours import palette
from armlab.data.digits_and_photographs import to_network
from armlab.data.image_files import read_image
from armlab.data.label_values import NO_CLASS, LabelValues
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.learner import Learner
from armlab.training.run import GATES
from armlab.training.run_files import expect_run
from armlab.training.start import make_learner
from armlab.whole_file import whole_file

SHARE = 0.6  # of the class's colour in an overlay; class 0 leaves the image as it is


@dataclass(frozen=True)
class Trained:
    """The network of a run, by hand on the host whatever it was trained with, and its classes."""

    learner: Learner
    classes: tuple[str, ...]
    labels: LabelValues

    @classmethod
    def load(cls, folder: Path) -> Trained:
        """From the checkpoint alone: the data are not asked for. Raises CheckpointError."""
        path = folder / CHECKPOINT
        arrays, kept = checkpoint.load(path)
        with expect_run(path):
            classes = tuple(kept["classes"])
            config = replace(Config(**kept["config"]), backend="numpy", device="cpu")
        learner = make_learner(config)
        with expect_run(path):
            arrays.pop(GATES)
            learner.load_state_dict(arrays)
        return cls(learner, classes, config.label_values)


@dataclass(frozen=True)
class Prediction:
    """Of one image (H, W, 3) uint8: the class of each pixel (H, W), and the gate, if there is one.

    gate  (C,) for one number per channel, else (1, H', W') or (C, H', W')
    """

    image: np.ndarray
    classes: np.ndarray
    gate: np.ndarray | None

    def shares(self, names: tuple[str, ...]) -> dict[str, float]:
        """The share of the pixels that each class has."""
        counts = np.bincount(self.classes.ravel(), minlength=len(names))
        return {name: float(n / self.classes.size) for name, n in zip(names, counts, strict=True)}


def predict(trained: Trained, path: Path) -> Prediction:
    """Raises ValueError that names the file where it is no image, or none for this network."""
    image = read_image(path)
    x = to_network(as_float(image))[np.newaxis]
    try:
        classes, gate = trained.learner.predict(x)[0], trained.learner.gate(x)
    except ValueError as error:
        raise ValueError(f"{path} is no image for this network: {error}") from error
    return Prediction(image, classes, None if gate is None else gate[0])


def write(
    prediction: Prediction, names: tuple[str, ...], start: Path, labels: LabelValues | None = None
) -> list[Path]:
    """start-mask.png, start-overlay.png and, where there are gates, start-gates.png.

    The mask has the labels of the classes, as the masks of the training have them, and their
    colours as its palette, so it can be trained on; mask and overlay have the size of the image.
    Raises OSError.
    """
    start.parent.mkdir(parents=True, exist_ok=True)
    colours = palette(len(names))
    labels = labels or LabelValues.of(len(names), NO_CLASS)
    share = SHARE * (prediction.classes > 0)[:, :, np.newaxis]
    mixed = (1 - share) * prediction.image / 255 + share * colours[prediction.classes]
    mask = start.with_name(f"{start.name}-mask.png")
    overlay = start.with_name(f"{start.name}-overlay.png")
    _save(labels.write(prediction.classes), mask, labels.palette(colours))
    _save((255 * mixed).round().astype(np.uint8), overlay)
    if prediction.gate is None:
        return [mask, overlay]
    gates = start.with_name(f"{start.name}-gates.png")
    plots.prediction(prediction.image, prediction.classes, prediction.gate, names, colours, gates)
    return [mask, overlay, gates]


def _save(values: np.ndarray, path: Path, colours: np.ndarray | None = None) -> None:
    from PIL import Image

    picture, options = Image.fromarray(values), dict[str, Any]()
    if colours is not None:
        picture.putpalette((255 * colours).round().astype(np.uint8).tobytes())
        options = {"bits": 8}  # Pillow would pack few classes into fewer
    png = io.BytesIO()
    picture.save(png, "PNG", **options)
    with whole_file(path) as file:
        file.write(png.getvalue())
