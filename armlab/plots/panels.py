"""What stands in one column of the inside of a module: maps of each channel, shared maps, bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.plots.figure_grid import GREY, FigureGrid
from armlab.plots.style import channel_colour, channel_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THICK = 0.44  # of the bars of one channel; from row to row it is 1
GATE: dict[str, Any] = {"cmap": "magma", "vmin": 0.0, "vmax": 1.0}


def channel_maps(
    grid: FigureGrid,
    column: int,
    name: str,
    values: np.ndarray,
    like: np.ndarray,
    rows: Sequence[int],
) -> None:
    """Features (C, H, W): each channel in its colour, on the scale of the same channel of `like`.

    Black is 0 or what lies furthest below it, so a gated channel gets darker.
    """
    for row, channel in enumerate(rows):
        low, high = min(like[channel].min(), 0), max(like[channel].max(), 0)
        scale = {"cmap": channel_map(channel), "vmin": low, "vmax": high}
        ax = _map(grid.cell(column, row), f"{name} {channel}", values[channel], scale)
        ax.spines[:].set(color=channel_colour(channel), linewidth=1.5)
        if column == 0:
            ax.set_ylabel(f"channel {channel}", color=channel_colour(channel), fontsize=9.5)


def element_gates(grid: FigureGrid, column: int, gate: np.ndarray, rows: Sequence[int]) -> None:
    """A gate (C, H, W) with a map for each channel."""
    for row, channel in enumerate(rows):
        ax = _map(grid.cell(column, row), f"gate per element {channel}", gate[channel], GATE)
        ax.spines[:].set(color=channel_colour(channel), linewidth=1.5)
    _gate_scale(grid, ax)


def position_gate(grid: FigureGrid, column: int, gate: np.ndarray) -> None:
    """A gate (H, W) that all channels share."""
    _gate_scale(grid, _map(grid.middle(column, 0, 1), "gate per position", gate, GATE))


def position_statistics(
    grid: FigureGrid, column: int, values: Sequence[tuple[str, np.ndarray]]
) -> None:
    """Maps (H, W) in grey, the first on top, each on its own scale."""
    for position, (name, value) in enumerate(values):
        scale = {"cmap": "gray", "vmin": value.min(), "vmax": value.max()}
        place = grid.middle(column, position, len(values))
        ax = _map(place, f"{name} over the channels", value, scale)
        ax.set_title(name, fontsize=8.5, color=GREY, pad=3)


def channel_gate(grid: FigureGrid, column: int, gate: np.ndarray, rows: Sequence[int]) -> None:
    """A gate (C,): length and colour are the gate, the edge is the channel."""
    from matplotlib import colormaps

    ax = _bars(grid, column, "gate per channel", [("gate", gate)], rows)
    for row, (bar, channel) in enumerate(zip(ax.patches, rows, strict=True)):
        bar.set(facecolor=colormaps["magma"](float(gate[channel])))
        ax.broken_barh([(0, 1)], (row - THICK / 2, THICK), color="0.94", zorder=0)
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])


def channel_statistics(
    grid: FigureGrid, column: int, values: Sequence[tuple[str, np.ndarray]], rows: Sequence[int]
) -> None:
    """Numbers (C,): bars in the colour of the channel, filled for a mean and empty for a max."""
    ax = _bars(grid, column, "statistics of each channel", values, rows)
    shown = np.concatenate([value[list(rows)] for _, value in values])
    low, high = min(shown.min(), 0.0), max(shown.max(), 0.0)
    ax.set_xlim((low, high) if low < high else (0, 1))
    ax.axvline(0, color="black", linewidth=0.8)


def _bars(
    grid: FigureGrid,
    column: int,
    label: str,
    values: Sequence[tuple[str, np.ndarray]],
    rows: Sequence[int],
) -> Axes:
    """A bar in each row for each of the values, and its number beside it."""
    ax = grid.all_rows(column, share=0.68)
    ax.set_label(label)
    thick = THICK / len(values)
    for k, (name, value) in enumerate(values):
        for row, channel in enumerate(rows):
            y, colour = row + (k - (len(values) - 1) / 2) * (thick + 0.04), channel_colour(channel)
            fill = "white" if name == "max" else colour
            ax.barh(y, value[channel], thick, color=fill, edgecolor=colour, linewidth=1.8)
            text = f"{name} " * (len(values) > 1) + _number(value[channel])
            ax.text(1.08, y, text, transform=ax.get_yaxis_transform(), va="center", size=7.5)
    ax.set_yticks([])
    ax.tick_params(axis="x", labelsize=8)
    ax.spines[["top", "left", "right"]].set_visible(False)
    return ax


def _map(ax: Axes, label: str, values: np.ndarray, scale: Mapping[str, Any]) -> Axes:
    ax.set_label(label)
    ax.imshow(values, interpolation="nearest", aspect="auto", **scale)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color("0.6")
    return ax


def _gate_scale(grid: FigureGrid, above: Axes) -> None:
    ax = grid.below(above)
    ax.set_label("scale")
    ax.imshow(np.linspace(0, 1, 256)[np.newaxis], aspect="auto", extent=(0, 1, 0, 1), **GATE)
    ax.set(xticks=[0, 0.5, 1], yticks=[])
    ax.tick_params(labelsize=8)


def _number(value: float) -> str:
    return f"{value:.2f}" if value == 0 or 0.01 <= abs(value) < 100 else f"{value:.1e}"
