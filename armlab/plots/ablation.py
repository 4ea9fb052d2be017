"""A grid of runs at a glance: every run as a point, means and differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.plots.style import BLUE, RED, new_figure
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNSEEN = "0.5"

Values = Mapping[int, float | None]  # by seed
Means = tuple[float | None, float | None]  # a mean and half of its interval


def ablation(
    names: Sequence[str],
    values: Mapping[str, Sequence[Values]],
    means: Mapping[str, Sequence[Means]],
    differences: Mapping[str, Sequence[Means]],
    path: FilePath,
) -> None:
    """A column for each measure; above its values, below the differences from the first name.

    values, means   of each measure, for each of the names
    differences     of each measure, for each of the names but the first
    """
    rows = 2 if len(names) > 1 else 1
    width = max(3.6, 0.75 * len(names) + 1.2)
    figure = new_figure(width * len(values) + 0.4, 2.7 * rows + 0.5)
    axes = figure.subplots(rows, len(values), squeeze=False)
    for column, measure in enumerate(values):
        _values(axes[0, column], names, values[measure], means[measure])
        axes[0, column].set_title(measure, fontsize=11)
        if rows == 2:
            _differences(axes[1, column], names[1:], differences[measure])
            axes[1, column].set_title(f"{measure}: difference from {names[0]}", fontsize=11)
    columns = min(4, 2 * len(values))  # as many as fit below one measure, or below two
    figure.legend(handles=_legend(rows), loc="outside lower center", ncols=columns, frameon=False)
    figure.savefig(path, dpi=150)


def _values(
    ax: Axes, names: Sequence[str], values: Sequence[Values], means: Sequence[Means]
) -> None:
    """A grey line for each seed, which pairs its runs, and the means with their intervals."""
    for seed in dict.fromkeys(seed for found in values for seed in found):
        line = [_or_nan(found.get(seed)) for found in values]
        ax.plot(range(len(names)), line, "o-", color="0.72", ms=4, lw=0.8, zorder=1)
    for x, (mean, half) in enumerate(means):
        _interval(ax, x, mean, half, BLUE)
    _finish(ax, names)


def _differences(ax: Axes, names: Sequence[str], differences: Sequence[Means]) -> None:
    """Against a line at 0; in colour what its interval tells from 0."""
    ax.axhline(0, color="0.35", lw=1)
    for x, (mean, half) in enumerate(differences):
        seen = mean is not None and half is not None and abs(mean) > half
        _interval(ax, x, mean, half, RED if seen else UNSEEN)
    _finish(ax, names)


def _interval(ax: Axes, x: float, mean: float | None, half: float | None, colour: str) -> None:
    """A mean, empty where it has no interval."""
    if mean is None:
        return
    style: dict[str, Any] = {
        "ms": 6.5,
        "capsize": 6,
        "lw": 1.8,
        "mfc": "white" if half is None else colour,
    }
    ax.errorbar(x, mean, half or 0, fmt="D", color=colour, zorder=3, **style)


def _finish(ax: Axes, names: Sequence[str]) -> None:
    ax.set(xticks=range(len(names)), xlim=(-0.6, len(names) - 0.4))
    ax.set_xticklabels(names, rotation=30 if max(map(len, names)) > 7 else 0)
    ax.margins(y=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)


def _legend(rows: int) -> list[Any]:
    from matplotlib.lines import Line2D

    marks = [("one seed", "0.72", "o-"), ("mean, 95 % interval", BLUE, "D")]
    if rows == 2:
        marks += [("difference", RED, "D"), ("no difference seen", UNSEEN, "D")]
    return [
        Line2D([], [], color=colour, marker=form[0], ls=form[1:] or "none", ms=5, label=label)
        for label, colour, form in marks
    ]


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
