"""What attention does to the toy scenes: labels, predictions, and the gate of each image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from armlab.data import Dataset
from armlab.plots.style import new_figure
from armlab.plots.training import NAMES

IGNORED = 0.0  # black


def attention(
    images: np.ndarray,
    labels: np.ndarray,
    predictions_by_name: Mapping[str, np.ndarray],
    gates: np.ndarray | None,
    path: Path,
    dataset: Dataset,
) -> None:
    """One row an image: the input, its label, each network's prediction, and the gate as bars.

    images (N, 3, H, W) as the data set gives them; labels and predictions (N, H, W); gates (N, C)
    """
    shown = {"Label": labels}
    shown |= {f"Prediction {NAMES.get(k, k)}": p for k, p in predictions_by_name.items()}
    widths = [1.0] * (1 + len(shown)) + [1.9] * (gates is not None)
    figure = new_figure(2.05 * sum(widths), 2.05 * len(images) + 0.75)
    axes = figure.subplots(len(images), len(widths), width_ratios=widths, squeeze=False)
    for row, image in enumerate(images):
        _picture(axes[row, 0], dataset.picture(image), "Input", row)
        for column, (title, classes) in enumerate(shown.items(), start=1):
            _picture(axes[row, column], _coloured(classes[row], dataset), title, row)
            axes[row, column].spines[:].set_color("0.7")
        if gates is not None:
            _bars(axes[row, -1], gates[row], first=row == 0, last=row == len(images) - 1)
    figure.legend(
        handles=_class_patches(dataset), loc="outside lower center", ncols=6, frameon=False
    )
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
    return np.where(ignored, IGNORED, dataset.colours[known])


def _bars(ax: Any, gate: np.ndarray, first: bool, last: bool) -> None:
    """One bar per channel, 0 to 1: how much of the channel the gate lets through."""
    from matplotlib import colormaps

    ax.bar(range(len(gate)), gate, width=0.85, color=colormaps["magma"](0.1 + 0.75 * gate))
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1], xlim=(-0.7, len(gate) - 0.3), xticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    if first:
        ax.set_title("Gate of ARM", fontsize=11)
    if last:
        ax.set_xlabel(f"Channel 1 to {len(gate)}")


def _class_patches(dataset: Dataset) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour, edgecolor="0.6", label=f"class {name}" if len(name) == 1 else name)
        for name, colour in zip(dataset.classes, dataset.colours, strict=True)
    ]
