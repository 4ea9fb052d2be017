"""What attention does to the toy scenes: labels, predictions, and the gate of each image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from armlab.data import Dataset
from armlab.plots.class_legend import class_legend
from armlab.plots.gates import draw_gate, per_channel, what_is_drawn
from armlab.plots.style import new_figure
from armlab.plots.training import name_of
from armlab.whole_file import FilePath

IGNORED = "black"


def attention(
    images: np.ndarray,
    labels: np.ndarray,
    predictions_by_name: Mapping[str, np.ndarray],
    gates: np.ndarray | None,
    path: FilePath,
    dataset: Dataset,
) -> None:
    """One row an image: the input, its label, each network's prediction, and the gate as bars.

    images (N, 3, H, W) as the data set gives them; labels and predictions (N, H, W); gates as
    `Learner.gate` gives them: (N, C), or maps (N, 1 or C, H', W')
    """
    shown = {"Label": labels}
    shown |= {f"Prediction {name_of(k)}": p for k, p in predictions_by_name.items()}
    widths = [1.0] * (1 + len(shown))
    if gates is not None:
        widths.append(1.9 if per_channel(gates[0]) else 1.0)
    figure = new_figure(2.05 * sum(widths), 2.05 * len(images) + 0.75)
    axes = figure.subplots(len(images), len(widths), width_ratios=widths, squeeze=False)
    for row, image in enumerate(images):
        _picture(axes[row, 0], dataset.picture(image), "Input", row)
        for column, (title, classes) in enumerate(shown.items(), start=1):
            _picture(axes[row, column], _coloured(classes[row], dataset), title, row)
            axes[row, column].spines[:].set_color("0.7")
        if gates is not None:
            draw_gate(axes[row, -1], gates[row])
    if gates is not None:
        axes[0, -1].set_title("Gate", fontsize=11)
        axes[-1, -1].set_xlabel(what_is_drawn(gates[0]))
    seen = np.concatenate([classes.ravel() for classes in shown.values()])
    ignored = {"ignored": IGNORED} if np.any(seen == dataset.ignore_index) else {}
    class_legend(figure, dataset.classes, dataset.colours, seen, ignored)
    figure.savefig(path, dpi=150)


def _picture(ax: Any, picture: np.ndarray, title: str, row: int) -> None:
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    if row == 0:
        ax.set_title(title.replace("Prediction ", "Prediction\n"), fontsize=11)


def _coloured(classes: np.ndarray, dataset: Dataset) -> np.ndarray:
    """(H, W) -> (H, W, 3): each pixel in the colour of its class, ignored ones black."""
    known = np.where(classes == dataset.ignore_index, 0, classes)
    ignored = (classes == dataset.ignore_index)[:, :, np.newaxis]
    return np.where(ignored, 0.0, dataset.colours[known])  # IGNORED
