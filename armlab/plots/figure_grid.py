"""A figure of rows and columns, measured in inches: equal maps, a header above, a footer below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armlab.plots.style import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAP = 1.6  # width of a map
GAP, ROW_GAP = 0.36, 0.1  # between columns and between rows
LEFT, RIGHT, HEADER, FOOTER = 0.36, 0.12, 0.56, 0.42
CAPTION = 0.2  # above a map that stands in the middle of its column
GREY = "0.45"


class FigureGrid:
    """Places axes on a figure of its own; rows count from the top."""

    def __init__(self, columns: int, rows: int, stacked: int, aspect: float) -> None:
        """aspect: height of a map / width; stacked: maps above each other in one column."""
        self.rows, self.map_height = rows, MAP * min(max(aspect, 0.4), 1.5)
        self.pitch = self.map_height + ROW_GAP
        self.body = max(rows * self.pitch - ROW_GAP, stacked * (self.map_height + CAPTION))
        self.width = LEFT + columns * (MAP + GAP) - GAP + RIGHT
        self.height = HEADER + self.body + FOOTER
        self.figure = new_figure(self.width, self.height, constrained=False)
        self._top = HEADER + (self.body - (rows * self.pitch - ROW_GAP)) / 2  # of the first row

    def cell(self, column: int, row: int) -> Axes:
        """The place of one channel's map."""
        return self._axes(column, self._top + row * self.pitch, self.map_height)

    def all_rows(self, column: int, share: float = 1.0) -> Axes:
        """One place beside all rows: y counts rows, and row r is centred at y = r."""
        ax = self._axes(column, self._top, self.rows * self.pitch - ROW_GAP, share)
        half = self.map_height / self.pitch / 2
        ax.set_ylim(self.rows - 1 + half, -half)
        return ax

    def middle(self, column: int, position: int, count: int) -> Axes:
        """The place of one of `count` maps above each other; several have captions above them."""
        step = self.map_height + CAPTION
        first = HEADER + (self.body - count * step) / 2 + CAPTION / (1 if count > 1 else 2)
        top = first + position * step
        return self._axes(column, top, self.map_height)

    def below(self, ax: Axes) -> Axes:
        """A narrow strip under a map, for its scale."""
        left, bottom, width, _ = ax.get_position().bounds
        return self.figure.add_axes((left, bottom - 0.18 / self.height, width, 0.08 / self.height))

    def head(self, column: int, title: str, note: str) -> None:
        """The title of a column, with a note in grey, and the arrow that leads to it."""
        left = LEFT + column * (MAP + GAP)
        self._text(left + MAP / 2, 0.2, title, 10.5, "black")
        self._text(left + MAP / 2, 0.4, note, 8.5, GREY)
        if column:
            self._text(left - GAP / 2, 0.2, "→", 13, GREY)

    def _text(self, x: float, y: float, text: str, size: float, colour: str) -> None:
        at = (x / self.width, 1 - y / self.height)
        self.figure.text(*at, text, ha="center", va="center", fontsize=size, color=colour)

    def _axes(self, column: int, top: float, height: float, share: float = 1.0) -> Axes:
        left = LEFT + column * (MAP + GAP)
        bottom = self.height - top - height
        place = (left / self.width, bottom / self.height)
        size = (share * MAP / self.width, height / self.height)
        return self.figure.add_axes((*place, *size))
