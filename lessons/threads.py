"""Pictures of lesson 11b: threads and the elements they compute, and the turns that they take."""

import numpy as np
from matplotlib.axes import Axes
from tools import COLOURS

GAP = 0.6  # between blocks


def grid(ax: Axes, channels: int, pixels: int, threads: int) -> None:
    """The threads of a launch, block by block, over the elements (C, HW) that are theirs."""
    blocks = -(-channels * pixels // threads)
    place = [i + GAP * (i // threads) for i in range(blocks * threads)]
    for i, at in enumerate(place):
        spare = i >= channels * pixels
        edge, face = ("#D55E00", "0.9") if spare else ("0.4", "#E8EEF4")
        box = {"boxstyle": "circle", "edgecolor": edge, "facecolor": face}
        ax.text(at, 2, str(i % threads), ha="center", va="center", bbox=box)
        if spare:
            ax.text(at, 1, "×", color="#D55E00", ha="center", va="center", fontsize=14)
            continue
        arrow = {"arrowstyle": "-|>", "color": "0.3"}
        ax.annotate("", (at, 1.3), (at, 1.66), arrowprops=arrow)
        box = {"boxstyle": "square", "edgecolor": "white", "facecolor": COLOURS[i // pixels]}
        ax.text(at, 1, str(i), ha="center", va="center", color="white", bbox=box)
    for block in range(blocks):
        middle = place[block * threads] + (threads - 1) / 2
        ax.text(middle, 2.75, f"blockIdx.x = {block}", ha="center")
    for c in range(channels):
        ends = place[c * pixels], place[(c + 1) * pixels - 1]
        ax.plot(ends, (0.4, 0.4), color=COLOURS[c], linewidth=3)
        ax.text(sum(ends) / 2, 0, f"a[{c}]", ha="center", va="center")
    for row, text in ((2, "threadIdx.x"), (1, "i"), (0, "i / pixels")):
        ax.text(-1.2, row, text, ha="right", va="center")
    ax.set(xlim=(-4, place[-1] + 1), ylim=(-0.4, 3.1))
    ax.axis("off")


def turns(ax: Axes, taken: list, title: str) -> None:
    """Who did what in which turn: (thread, None) writes, (thread, table) reads the whole table."""
    for turn, (t, table) in enumerate(taken):
        if table is None:
            ax.plot(turn, t, "s", color="#0072B2", markersize=8)
            continue
        ax.axvline(turn, color="#E69F00", linewidth=2, zorder=0)
        for k, value in enumerate(table):
            mark, colour = ("X", "#D55E00") if np.isnan(value) else ("o", "#E69F00")
            ax.plot(turn, k, mark, color=colour, markersize=8)
    ax.set(xlabel="turn", yticks=range(8), xlim=(-0.7, 8.7), ylim=(7.7, -0.7))
    ax.set_title(title, fontsize=10)
