"""A figure that belongs to nobody else, and shows itself in a notebook.

Loads matplotlib: to be imported where a figure is drawn, as `new_figure` does.
"""

from __future__ import annotations

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class OwnFigure(Figure):
    """Drawn by Agg: no window, and nothing of pyplot's global state."""

    def __init__(self, width: float, height: float, constrained: bool) -> None:
        super().__init__(figsize=(width, height), layout="constrained" if constrained else None)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """What a notebook shows where the figure is the value of a cell."""
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()
