"""The confusion matrix: of the pixels of each class, which share was called what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from armlab.plots.style import new_figure
from armlab.whole_file import FilePath

LETTER = 0.078  # inches
MOST_NAMED = 20  # with more classes the cells are too small for numbers


def confusion(counts: np.ndarray, names: Sequence[str], path: FilePath) -> None:
    """counts[i, j]: pixels of class i that were called j. A row is in shares of its class.

    Beside its name stands the share that a class has of all pixels; a class without any has an
    empty row.
    """
    of_class = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_class, out=np.full(counts.shape, np.nan), where=of_class > 0)
    size = len(names)
    side = max(2.4, min(0.72 * size, 9))
    figure = new_figure(side + 2.9, side + 1.0)
    ax = figure.subplots()
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    total = max(int(counts.sum()), 1)
    rows = [
        f"{n}  ({100 * int(k) / total:.1f} %)" for n, k in zip(names, of_class[:, 0], strict=True)
    ]
    ax.set(xticks=range(size), yticks=range(size), xlabel="Predicted", ylabel="True class")
    ax.set_yticklabels(rows)
    slanted = max(map(len, names)) * LETTER > side / size
    ax.set_xticklabels(names, rotation=40 if slanted else 0, ha="right" if slanted else "center")
    ax.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", lw=1.5)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    if size <= MOST_NAMED:
        for i, j in np.argwhere(~np.isnan(shares)):
            colour = "white" if shares[i, j] > 0.55 else "black"
            ax.text(j, i, _percent(shares[i, j]), ha="center", va="center", color=colour, size=9)
    figure.colorbar(image, ax=ax, label="Share of the true class", ticks=[0, 0.5, 1], pad=0.03)
    figure.savefig(path, dpi=150)


def _percent(share: float) -> str:
    """Never 0 or 100 for what is not quite that."""
    percent = 100 * share
    if percent < 0.1:
        return "<0.1" if percent else "0"
    return f"{percent:.1f}" if percent < 99.95 or share == 1 else ">99.9"
