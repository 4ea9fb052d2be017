"""Gates as pictures: bars for one number per channel, maps for numbers per position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.plots.style import new_figure, whole_numbers
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALE: dict[str, Any] = {"cmap": "magma", "vmin": 0.0, "vmax": 1.0}


def per_channel(gate: np.ndarray) -> bool:
    """Whether the gate of one image is (C,) or (C, 1, 1), and not a map."""
    return gate.ndim == 1 or gate.shape[1:] == (1, 1)


def as_map(gate: np.ndarray) -> np.ndarray:
    """(1, H, W) or, where each channel has a map of its own, their mean: (H, W)."""
    mean: np.ndarray = gate.mean(axis=0)
    return mean


def draw_gate(ax: Axes, gate: np.ndarray) -> None:
    """The gate of one image, on the scale from 0 to 1."""
    if per_channel(gate):
        _bars(ax, gate.ravel())
        return
    ax.imshow(as_map(gate), interpolation="nearest", **SCALE)
    ax.set(xticks=[], yticks=[])


def what_is_drawn(gate: np.ndarray) -> str:
    """A caption: what the bars or the map are."""
    if per_channel(gate):
        return f"Channel 1 to {len(gate)}"
    return "per position" if len(gate) == 1 else f"mean of {len(gate)} channels"


def gates(
    pictures: Sequence[np.ndarray], gates: np.ndarray, steps: Sequence[int], path: FilePath
) -> None:
    """The gates of a few images over the training: above each column stands its image.

    pictures  N of (H, W, 3)
    gates     (epochs, N, C): channels upwards, epochs to the right; or
              (epochs, N, C or 1, H', W'): a map for each epoch, the first on top
    steps     at the end of each epoch
    """
    draw = _heat if per_channel(gates[0, 0]) else _film
    draw(pictures, gates, steps).savefig(path, dpi=150)


def _heat(pictures: Sequence[np.ndarray], gates: np.ndarray, steps: Sequence[int]) -> Any:
    count = len(pictures)
    figure = new_figure(2.4 * count + 1.3, 4.9)
    axes = figure.subplots(2, count, height_ratios=[1.5, 3], squeeze=False)
    ends = (0.5, len(steps) + 0.5, gates.shape[2] + 0.5, 0.5)  # left, right, bottom, top
    for column, picture in enumerate(pictures):
        _thumbnail(axes[0, column], picture)
        ax = axes[1, column]
        values = gates[:, column].reshape(len(steps), -1).T
        image = ax.imshow(values, extent=ends, aspect="auto", interpolation="nearest", **SCALE)
        whole_numbers(ax.xaxis, ax.yaxis)
        ax.set(xlabel="Epoch", ylabel="Channel" if column == 0 else "")
        if column:
            ax.set_yticklabels([])
    figure.colorbar(image, ax=axes[1], label="Gate", ticks=[0, 0.5, 1], pad=0.015)
    return figure


def _film(pictures: Sequence[np.ndarray], gates: np.ndarray, steps: Sequence[int]) -> Any:
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), 8)).round().astype(int))
    height, width = pictures[0].shape[:2]
    tall = 1.5 * min(max(height / width, 0.4), 1.5)
    figure = new_figure(1.6 * (len(chosen) + 1) + 0.9, (tall + 0.12) * len(pictures) + 0.4)
    axes = figure.subplots(len(pictures), len(chosen) + 1, squeeze=False)
    for row, picture in enumerate(pictures):
        _thumbnail(axes[row, 0], picture)
        for column, epoch in enumerate(chosen, start=1):
            ax = axes[row, column]
            image = ax.imshow(as_map(gates[epoch, row]), interpolation="nearest", **SCALE)
            ax.set(xticks=[], yticks=[])
            if row == 0:
                ax.set_title(f"step {steps[epoch]}", fontsize=10)
    figure.colorbar(image, ax=axes, label="Gate", ticks=[0, 0.5, 1], pad=0.015, aspect=30)
    return figure


def _thumbnail(ax: Axes, picture: np.ndarray) -> None:
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])


def _bars(ax: Axes, gate: np.ndarray) -> None:
    """One bar per channel, 0 to 1: how much of the channel the gate lets through."""
    from matplotlib import colormaps

    ax.bar(range(len(gate)), gate, width=0.85, color=colormaps["magma"](gate))
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1], xlim=(-0.7, len(gate) - 0.3), xticks=[])
    ax.spines[["top", "right"]].set_visible(False)
