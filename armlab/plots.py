"""Figures: how training went, and what attention does to a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from armlab.data.scenes import CLASSES, to_rgb

# Okabe and Ito: told apart with any colour vision
BLACK, ORANGE, SKY, GREEN, BLUE, RED = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
)
CLASS_COLOURS = ("#F2F2F2", ORANGE, BLUE)  # background, A, B
NAMES = {"none": "without attention", "arm": "with ARM"}
RUN_COLOURS = {"none": RED, "arm": GREEN}


def curves(history_by_name: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Loss, mean IoU and accuracy between A and B over the steps, one line for each run."""
    figure = _figure(10.5, 3.2)
    axes = figure.subplots(1, 3)
    columns = {
        "loss": "Training loss (log scale)",
        "miou": "Mean IoU",
        "a_against_b": "A against B",
    }
    for ax, (column, title) in zip(axes, columns.items(), strict=True):
        for name, rows in history_by_name.items():
            steps = [row["step"] for row in rows]
            values = [np.nan if row[column] is None else row[column] for row in rows]
            colour = RUN_COLOURS.get(name, BLACK)
            ax.plot(steps, values, "o-", color=colour, ms=4, label=NAMES.get(name, name))
        ax.set(title=title, xlabel="Step")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", color="0.9")
        if column == "loss":
            ax.set_yscale("log")
        else:
            ax.set_ylim(0, 1.03)
    axes[2].axhline(0.5, color="0.5", ls=":", lw=1.2, label="guessing")
    handles, labels = axes[2].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=150)


def attention(
    images: np.ndarray,
    labels: np.ndarray,
    predictions_by_name: Mapping[str, np.ndarray],
    gates: np.ndarray | None,
    path: Path,
) -> None:
    """One row a scene: the input, its label, each network's prediction, and the gate as bars.

    images (N, 3, H, W) as `Scenes` gives them; labels and predictions (N, H, W); gates (N, C)
    """
    shown = {"Label": labels}
    shown |= {f"Prediction {NAMES.get(k, k)}": p for k, p in predictions_by_name.items()}
    widths = [1.0] * (1 + len(shown)) + [1.9] * (gates is not None)
    figure = _figure(2.05 * sum(widths), 2.05 * len(images) + 0.75)
    axes = figure.subplots(len(images), len(widths), width_ratios=widths, squeeze=False)
    for row, image in enumerate(images):
        _picture(axes[row, 0], to_rgb(image), "Input", row)
        for column, (title, classes) in enumerate(shown.items(), start=1):
            _classes(axes[row, column], classes[row], title, row)
        if gates is not None:
            _bars(axes[row, -1], gates[row], first=row == 0, last=row == len(images) - 1)
    figure.legend(handles=_class_patches(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=150)


def _figure(width: float, height: float) -> Any:
    """A figure of its own, drawn by Agg: no window and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _picture(ax: Any, picture: np.ndarray, title: str, row: int) -> None:
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    if row == 0:
        ax.set_title(title.replace("Prediction ", "Prediction\n"), fontsize=11)


def _classes(ax: Any, classes: np.ndarray, title: str, row: int) -> None:
    from matplotlib.colors import to_rgb as rgb

    _picture(ax, np.array([rgb(c) for c in CLASS_COLOURS])[classes], title, row)
    ax.spines[:].set_color("0.7")


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


def _class_patches() -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour, edgecolor="0.6", label=f"class {name}" if len(name) == 1 else name)
        for name, colour in zip(CLASSES, CLASS_COLOURS, strict=True)
    ]
