"""The confusion matrix: of the pixels of each class, which share was called what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.plots.class_legend import short
from armlab.plots.style import new_figure
from armlab.shares import percent
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER = 0.08  # inches, of ten points
MOST_NAMED = 20  # with more classes the cells are too small for numbers and for gaps
LARGEST, SMALLEST = 0.72, 0.11  # inches of a cell: room for a number, and for a line of letters
SIDE = 9.0  # inches of the matrix, unless its cells would be smaller than that
BAR = 3.0  # inches of the scale of colours


def confusion(counts: np.ndarray, names: Sequence[str], path: FilePath) -> None:
    """counts[i, j]: pixels of class i that were called j. A row is in shares of its class.

    Beside its name stands the share that a class has of all pixels; a class without any has an
    empty row. The picture is as large as the matrix with its names, so that none is cut off.
    """
    of_class = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_class, out=np.full(counts.shape, np.nan), where=of_class > 0)
    size, total = len(names), max(int(counts.sum()), 1)
    cell = max(SMALLEST, min(LARGEST, SIDE / size))
    side = max(2.0, cell * size)
    figure = new_figure(side, side, constrained=False)
    ax = figure.add_axes((0, 0, 1, 1))  # names and scale stand outside, and are saved with it
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    _name(ax, [short(n) for n in names], [int(k) / total for k in of_class[:, 0]], side / size)
    if size <= MOST_NAMED:
        for i, j in np.argwhere(~np.isnan(shares)):
            colour = "white" if shares[i, j] > 0.55 else "black"
            ax.text(j, i, percent(shares[i, j]), ha="center", va="center", color=colour, size=9)
    high = min(side, BAR)
    scale = figure.add_axes((1 + 0.25 / side, (1 - high / side) / 2, 0.18 / side, high / side))
    figure.colorbar(image, cax=scale, label="Share of the true class", ticks=[0, 0.5, 1])
    figure.savefig(path, dpi=150, bbox_inches="tight", pad_inches=0.15)


def _name(ax: Axes, names: list[str], shares: list[float], cell: float) -> None:
    """Classes down and across, in letters that fit a cell of so many inches."""
    size = len(names)
    letters = min(10.0, 72 * 0.85 * cell)
    ax.set(xticks=range(size), yticks=range(size), xlabel="Predicted", ylabel="True class")
    ax.set_yticklabels(
        [f"{n}  ({percent(s)} %)" for n, s in zip(names, shares, strict=True)], fontsize=letters
    )
    turn = 0 if max(map(len, names)) * LETTER < cell else 40 if letters == 10 else 90
    slanted: dict[str, Any] = {"ha": "right", "rotation_mode": "anchor"} if turn == 40 else {}
    ax.set_xticklabels(names, fontsize=letters, rotation=turn, **slanted)
    if size <= MOST_NAMED:
        ax.set_xticks(np.arange(size + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(size + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", lw=1.5)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
