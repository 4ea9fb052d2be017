"""The curves of one or more runs: loss, mean IoU, and accuracy between A and B."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from armlab.plots.style import BLACK, GREEN, RED, new_figure

NAMES = {"none": "without attention", "arm": "with ARM"}
RUN_COLOURS = {"none": RED, "arm": GREEN}


def curves(history_by_name: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Loss, mean IoU and accuracy between A and B over the steps, one line for each run."""
    figure = new_figure(10.5, 3.2)
    axes = figure.subplots(1, 3)
    columns = {
        "loss": "Training loss (log scale)",
        "miou": "Mean IoU",
        "told_apart": "A against B",
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
