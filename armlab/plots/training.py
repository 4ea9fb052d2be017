"""The curves of one or more runs: loss, mean IoU, classes told apart, and the learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.plots.style import BLUE, GREEN, ORANGE, PURPLE, RED, SKY, new_figure, whole_numbers
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {"none": "without attention", "arm": "with ARM"}
RUN_COLOURS = {"none": RED, "arm": GREEN}
MORE = (BLUE, ORANGE, PURPLE, SKY)  # of other attentions, in turn

Rows = Sequence[Mapping[str, Any]]


def name_of(attention: str) -> str:
    """An attention in words."""
    return NAMES.get(attention, f"with {attention}")


def curves(
    history_by_name: Mapping[str, Rows], path: FilePath, told_apart: Sequence[str] = ("A", "B")
) -> None:
    """A panel for each column of the history that any run has, and a line in it for each run.

    told_apart: the names of the classes that only context tells apart, of which a guess is right
    in one of as many cases.
    """
    panels = {
        "loss": "Training loss (log scale)",
        "miou": "Mean IoU",
        "told_apart": " against ".join(told_apart) if len(told_apart) < 4 else "Told apart",
        "learning_rate": "Learning rate",
    }
    rows = [row for history in history_by_name.values() for row in history]
    columns = [c for c in panels if any(row.get(c) is not None for row in rows)]
    figure = new_figure(3.2 * len(columns) + 0.2, 3.2)
    for ax, column in zip(figure.subplots(1, len(columns)), columns, strict=True):
        _lines(ax, history_by_name, column)
        ax.set_title(panels[column], fontsize=11)
        if column == "told_apart":
            ax.axhline(1 / len(told_apart), color="0.5", ls=":", lw=1.2, label="guessing")
    found = [ax.get_legend_handles_labels() for ax in figure.axes]
    entries = {label: handle for pair in found for handle, label in zip(*pair, strict=True)}
    figure.legend(
        [*entries.values()], [*entries], loc="outside lower center", ncols=6, frameon=False
    )
    figure.savefig(path, dpi=150)


def _lines(ax: Axes, history_by_name: Mapping[str, Rows], column: str) -> None:
    others = [name for name in history_by_name if name not in RUN_COLOURS]
    for name, rows in history_by_name.items():
        values = [np.nan if row[column] is None else row[column] for row in rows]
        colour = RUN_COLOURS.get(name) or MORE[others.index(name) % len(MORE)]
        ax.plot(
            [row["step"] for row in rows], values, "o-", color=colour, ms=4, label=name_of(name)
        )
    ax.set(xlabel="Step")
    whole_numbers(ax.xaxis)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.9")
    if column == "loss":
        ax.set_yscale("log")
    elif column == "learning_rate":
        ax.ticklabel_format(axis="y", scilimits=(0, 0))
        ax.set_ylim(bottom=0)
    else:
        ax.set_ylim(0, 1.03)
