"""The inside of an attention module: feature map, statistic, gate and gated map, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from armlab import hand
from armlab.arrays import Array
from armlab.plots import panels
from armlab.plots.figure_grid import FigureGrid
from armlab.plots.gating import Gating, gatings
from armlab.whole_file import FilePath

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Column = tuple[str, str, Callable[[FigureGrid, int], None]]  # title, note, what draws it there


def inside(
    module: hand.Module,
    x: Array | tuple[Array, ...],
    path: FilePath | None = None,
    *,
    image: int = 0,
    channels: Sequence[int] | None = None,
) -> Figure:
    """What the module does to one image of a batch, from left to right; a row for each channel.

    Maps and bars of a channel have its colour. A statistic or a gate that all channels share is
    drawn once. Gates are in magma from 0 to 1. A gated map has the scale of its feature map. A
    module that gates twice, as CBAM does, goes on to the right.

    x         what the module is called with; several inputs as a tuple
    path      where to write the figure; None: only return it
    image     which of the batch is drawn; all of it takes part in batch statistics
    channels  which of them have a row: the first four unless given

    Raises TypeError for what is no module by hand, ValueError where nothing is gated, and
    IndexError for an image or a channel that is not there.
    """
    found = gatings(module, *(x if isinstance(x, tuple) else (x,)))
    rows = _expect_there(found, image, channels)
    columns = list(_columns(found, image, rows))
    height, width = found[0].features.shape[2:]
    grid = FigureGrid(len(columns), len(rows), _stacked(found), height / width)
    for at, (title, note, draw) in enumerate(columns):
        grid.head(at, title, note)
        draw(grid, at)
    if path is not None:
        grid.figure.savefig(path, dpi=150)
    return grid.figure


def _columns(found: list[Gating], image: int, rows: list[int]) -> Iterator[Column]:
    """All columns; features are left out where they are what the last gate let through."""
    last = None
    for g in found:
        x, y = g.features[image], g.gated[image]
        if last is None or not np.array_equal(last, x):
            maps = partial(panels.channel_maps, like=x, rows=rows)
            note = "of each channel" if len(rows) == len(x) else f"{len(rows)} of {len(x)} channels"
            yield "feature map", note, partial(maps, name="feature map", values=x)
        yield from _statistics(g, image, rows)
        yield _gate(g.gate[image], len(x), rows)
        yield "gated map", "feature map × gate", partial(maps, name="gated map", values=y)
        last = y


def _statistics(g: Gating, image: int, rows: list[int]) -> Iterator[Column]:
    """What the gate was computed from: a column for each thing that was pooled over."""
    channels = g.features.shape[1]
    for over in dict.fromkeys(s.over for s in g.statistics):
        some = [(s.word, s.values[image]) for s in g.statistics if s.over == over]
        title, note = " and ".join(dict.fromkeys(word for word, _ in some)), f"over {over}"
        if over == "the channels":
            shared = [(word, values[0]) for word, values in some]
            yield title, note, partial(panels.position_statistics, values=shared)
        elif any(len(values) != channels for _, values in some):
            continue  # of other channels than those that have a row
        elif over == "the positions":
            flat = [(word, values[:, 0, 0]) for word, values in some]
            yield title, note, partial(panels.channel_statistics, values=flat, rows=rows)
        else:
            _, v = some[0]
            maps = partial(panels.channel_maps, name=f"{title} {note}", values=v, like=v, rows=rows)
            yield title, note, maps


def _gate(gate: np.ndarray, channels: int, rows: list[int]) -> Column:
    if gate.shape[1:] == (1, 1):
        draw = partial(panels.channel_gate, gate=gate[:, 0, 0], rows=rows)
        return "gate", "one per channel", draw
    if len(gate) == 1 and channels > 1:
        return "gate", "one per position", partial(panels.position_gate, gate=gate[0])
    note = "one per element"
    if gate.shape[2] == 1:
        note = "one per row and channel"
    elif gate.shape[1] == 1:
        note = "one per column and channel"
    return "gate", note, partial(panels.element_gates, gate=gate, rows=rows)


def _stacked(found: list[Gating]) -> int:
    """How many maps stand above each other in one column, at most."""
    return max(1, *(sum(s.over == "the channels" for s in g.statistics) for g in found))


def _expect_there(found: list[Gating], image: int, channels: Sequence[int] | None) -> list[int]:
    """The channels that have a row, once it is sure that they and the image exist."""
    images, count = len(found[0].features), min(g.features.shape[1] for g in found)
    rows = list(range(min(count, 4))) if channels is None else list(channels)
    for name, wanted, there in (("image", [image], images), ("channels", rows, count)):
        if not wanted or not all(0 <= i < there for i in wanted):
            raise IndexError(
                f"inside expected {name} from 0 to {there - 1}, got {wanted}: choose others"
            )
    return rows
