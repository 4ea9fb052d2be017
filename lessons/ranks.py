"""Pictures of lesson 12b: what lies where on a ring, and what ranks do with their time."""

import numpy as np
from matplotlib.axes import Axes

COMPUTES, WAITS = "#009E73", "0.88"


def ring_table(ax: Axes, counts: np.ndarray, title: str) -> None:
    """Of how many ranks each part is the sum, (ranks, parts)."""
    ranks, parts = counts.shape
    ax.imshow(counts, cmap="Purples", vmin=0, vmax=1.5 * ranks)
    for (r, p), count in np.ndenumerate(counts):
        ax.text(p, r, f"{count:.0f}", ha="center", va="center")
    ax.set(xticks=range(parts), yticks=range(ranks), xlabel="part", title=title)


def timeline(ax: Axes, ranks: list[list[tuple[float, float, float]]]) -> None:
    """Steps of ranks: the seconds at which each began, came to its exchange, and left it."""
    for rank, steps in enumerate(ranks):
        for start, came, left in steps:
            ax.barh(rank, came - start, left=start, color=COMPUTES, edgecolor="white")
            ax.barh(rank, left - came, left=came, color=WAITS, edgecolor="white")
    label = "seconds; green: computes, grey: waits"
    ax.set(xlabel=label, yticks=range(len(ranks)), ylabel="rank")
    ax.invert_yaxis()
