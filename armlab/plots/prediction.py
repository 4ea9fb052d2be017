"""One image, what a network says of it, and the gate that it was seen through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from armlab.plots.class_legend import class_legend
from armlab.plots.gates import SCALE, draw_gate, per_channel, what_is_drawn
from armlab.plots.style import new_figure
from armlab.whole_file import FilePath

WIDER = 1.2  # the bars, than the image


def prediction(
    image: np.ndarray,
    classes: np.ndarray,
    gate: np.ndarray,
    names: Sequence[str],
    colours: np.ndarray,
    path: FilePath,
) -> None:
    """image (H, W, 3); classes (H, W); gate (C,), (1, H', W') or (C, H', W'); colours (K, 3)."""
    tall = 3.0 * min(max(image.shape[0] / image.shape[1], 0.4), 1.5)
    bars = per_channel(gate)
    figure = new_figure(9.6, tall + 1.1)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, WIDER if bars else 1])
    axes[0].imshow(image, interpolation="nearest")
    axes[1].imshow(colours[classes], interpolation="nearest")
    draw_gate(axes[2], gate)
    if bars:
        axes[2].set_box_aspect(image.shape[0] / image.shape[1] / WIDER)  # as high as the image
    for ax, title in zip(axes, ("Input", "Prediction", "Gate"), strict=True):
        ax.set_title(title, fontsize=11)
    for ax in axes[:2]:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_color("0.7")
    axes[2].set_xlabel(what_is_drawn(gate))
    if not bars:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        scale = ScalarMappable(Normalize(0, 1), SCALE["cmap"])
        figure.colorbar(scale, ax=axes[2], ticks=[0, 0.5, 1], fraction=0.05, pad=0.02)
    class_legend(figure, names, colours, classes)
    figure.savefig(path, dpi=150)
