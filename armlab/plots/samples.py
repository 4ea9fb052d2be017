"""Images of some data above their masks, in the colours that a training gives to the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from armlab.data.samples import Sample
from armlab.plots.class_legend import class_legend, short
from armlab.plots.style import new_figure
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 2.2  # inches of an image
OTHERS = {"ignored": "black", "no class": "magenta"}


def samples(
    parts: Mapping[str, Sequence[Sample]], names: Sequence[str], colours: np.ndarray, path: FilePath
) -> None:
    """Two rows for each part, images and masks; colours (K, 3) of the classes."""
    from matplotlib.colors import to_rgb

    table = np.vstack([colours, *(to_rgb(colour) for colour in OTHERS.values())])
    columns = max(map(len, parts.values()))
    tall = {name: WIDTH * max(map(_aspect, shown)) for name, shown in parts.items()}
    heights = [tall[name] for name in parts for _ in range(2)]
    figure = new_figure(WIDTH * max(columns, 2) + 0.6, sum(heights) + 0.5 * len(parts) + 0.6)
    axes = figure.subplots(2 * len(parts), columns, squeeze=False, height_ratios=heights)
    for ax in axes.flat:
        ax.axis("off")
    for row, (name, shown) in enumerate(parts.items()):
        for column, sample in enumerate(shown):
            above, below = axes[2 * row : 2 * row + 2, column]
            _show(above, sample.picture)
            _show(below, table[sample.classes])
            above.set_title(short(sample.name), fontsize=9)
        axes[2 * row, 0].set_ylabel(f"{name} images")
        axes[2 * row + 1, 0].set_ylabel("masks")
    seen = np.concatenate([s.classes.ravel() for shown in parts.values() for s in shown])
    there = {n: c for k, (n, c) in enumerate(OTHERS.items(), len(names)) if np.any(seen == k)}
    class_legend(figure, names, colours, seen, there)
    figure.savefig(path, dpi=150)


def _aspect(sample: Sample) -> float:
    height, width = sample.classes.shape
    return float(min(max(height / width, 0.3), 2.0))


def _show(ax: Axes, picture: np.ndarray) -> None:
    ax.axis("on")
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color("0.7")
