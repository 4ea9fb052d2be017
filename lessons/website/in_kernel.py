"""What a lesson's kernel does otherwise while the site is built: from website import in_kernel.

Every picture says what it shows, for who cannot see it: matplotlib writes the words into the PNG, and
IPython reads them from there, whether the figure is shown or lay in a file before. A slider moves
frames that are drawn beforehand, for who has no kernel.
"""

import base64
import functools
import io
from typing import Any

import ipywidgets
from IPython import get_ipython
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from website import frames
from website.figure_words import words

DESCRIPTION = "Description"  # a keyword of the PNG specification
_print_png = FigureCanvasAgg.print_png


def prepare() -> None:
    """Make it so in the IPython that runs. Twice does no harm."""
    FigureCanvasAgg.print_png = _described  # what shows a figure and what saves it come by here
    shell = get_ipython()
    formatters = shell.display_formatter.formatters
    shell.display_formatter = WithWords(parent=shell, formatters=formatters)
    ipywidgets.interact = frames.interact


@functools.wraps(_print_png)  # matplotlib asks for its signature and its module
def _described(
    self: FigureCanvasAgg, target: Any, *, metadata: dict[str, str] | None = None, **options: Any
) -> None:
    described = {DESCRIPTION: words(self.figure), **(metadata or {})}
    _print_png(self, target, metadata=described, **options)


class WithWords(DisplayFormatter):
    """A picture has what it says of itself as its alternative text, unless it was given another."""

    def format(self, thing: Any, **which: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, about = super().format(thing, **which)
        png = data.get("image/png")
        if png:
            raw = base64.b64decode(png) if isinstance(png, str) else png
            if text := Image.open(io.BytesIO(raw)).info.get(DESCRIPTION):
                about["image/png"] = {"alt": text} | about.get("image/png", {})
        return data, about
