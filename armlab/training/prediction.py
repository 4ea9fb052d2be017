"""What a trained network says of any image: a mask, an overlay and the gates, at its own size."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from armlab import plots
from armlab.data.image_files import read_image
from armlab.data.label_values import NO_CLASS, LabelValues
from armlab.training.prediction_names import IMAGE, PARTS, image_seen_from, prediction_file
from armlab.training.trained import Trained
from armlab.weights.publishers import Labels
from armlab.whole_file import whole_file

LARGE = 2048 * 2048  # pixels of an image that is told of
SHARE = 0.6  # of the class's colour in an overlay; the background leaves the image as it is


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


def predict(trained: Trained, path: Path, tell: Callable[[str], None] | None = None) -> Prediction:
    """Raises ValueError that names the file where it is no image, or none for this network.

    tell  is told of an image that takes long, before it is worked on
    """
    image = read_image(path)
    height, width = image.shape[:2]
    if tell and height * width > LARGE:
        tell(
            f"{path} has {height}x{width} pixels, {height * width / LARGE:.1f} times 2048x2048: "
            "time and memory grow with them"
        )
    x = trained.prepare(image)[np.newaxis]
    try:
        classes, gate = trained.logits(x)[0].argmax(axis=0), trained.gate(x)
    except ValueError as error:
        raise ValueError(f"{path} is no image for this network: {error}") from error
    except MemoryError:
        raise ValueError(
            f"{path} has {height}x{width} pixels, too many for the memory here: make it smaller"
        ) from None
    return Prediction(image, classes, None if gate is None else gate[0])


def write(
    prediction: Prediction,
    labels: Labels,
    start: Path,
    path: Path,
    values: LabelValues | None = None,
) -> list[Path]:
    """start-mask.png, start-overlay.png and, where there are gates, start-gates.png.

    The mask has the labels of the classes, as the masks of the training have them, and their
    colours as its palette, so it can be trained on; mask and overlay have the size of the image.

    path    of the image
    values  the labels, where they are other than 0 to K - 1

    Raises OSError.
    """
    start.parent.mkdir(parents=True, exist_ok=True)
    mask, overlay, gates = (prediction_file(start, part) for part in PARTS)
    text = {IMAGE: image_seen_from(start.parent, path)}
    values = values or LabelValues.of(len(labels.names), NO_CLASS)
    _save(values.write(prediction.classes), mask, values.palette(labels.colours), text)
    _save(_mixed(prediction, labels), overlay)
    if prediction.gate is None:
        return [mask, overlay]
    plots.prediction(
        prediction.image,
        prediction.classes,
        prediction.gate,
        labels.names,
        labels.colours,
        gates,
    )
    return [mask, overlay, gates]


def _mixed(prediction: Prediction, labels: Labels) -> np.ndarray:
    """The image under the colours of its classes, (H, W, 3) uint8."""
    shown = np.array([SHARE * (k != labels.background) for k in range(len(labels.names))])
    share = shown[prediction.classes][:, :, np.newaxis]
    mixed = (1 - share) * prediction.image / 255 + share * labels.colours[prediction.classes]
    host: np.ndarray = (255 * mixed).round().astype(np.uint8)
    return host


def _save(
    values: np.ndarray,
    path: Path,
    colours: np.ndarray | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    picture, info, options = Image.fromarray(values), PngInfo(), dict[str, Any]()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    if colours is not None:
        picture.putpalette((255 * colours).round().astype(np.uint8).tobytes())
        options = {"bits": 8}  # Pillow would pack few classes into fewer
    png = io.BytesIO()
    picture.save(png, "PNG", pnginfo=info, **options)
    with whole_file(path) as file:
        file.write(png.getvalue())
