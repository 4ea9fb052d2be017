"""A legend of the classes below a figure, however many they are and however long their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

LONGEST = 30  # letters of a name
ALL_SHOWN = 30  # classes; of more, those alone that occur in the figure
COLUMNS = 6
ONE_ROW = 0.35  # inches, for which figures leave room


def class_legend(
    figure: Figure,
    names: Sequence[str],
    colours: np.ndarray,
    occurring: np.ndarray,
    others: Mapping[str, str] | None = None,
) -> None:
    """The figure grows by what the legend needs beyond one row.

    occurring  labels that are in the figure, in any shape; others than classes do not matter
    others     colours by name, of what is in the figure and is no class
    """
    there = set(np.unique(occurring).tolist()) if len(names) > ALL_SHOWN else range(len(names))
    classes = [k for k in range(len(names)) if k in there]
    handles = class_patches([names[k] for k in classes], colours[classes])
    handles += [patch(colour, name) for name, colour in (others or {}).items()]
    for columns in range(COLUMNS, 0, -1):
        legend = figure.legend(
            handles=handles, loc="outside lower center", ncols=columns, frameon=False
        )
        extent = legend.get_window_extent()
        if extent.width <= figure.bbox.width or columns == 1:
            break
        legend.remove()
    grown = max(0.0, extent.height / figure.dpi - ONE_ROW)
    figure.set_figheight(figure.get_figheight() + grown)


def class_patches(names: Sequence[str], colours: np.ndarray) -> list[Patch]:
    return [
        patch(tuple(c), f"class {n}" if len(n) == 1 else short(n))
        for n, c in zip(names, colours, strict=True)
    ]


def patch(colour: Any, label: str) -> Patch:
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor="0.6", label=label)


def short(name: str) -> str:
    """A name as matplotlib can draw it; what is too long loses its middle, as ends differ too.

    A dollar is a dollar and begins no formula; a letter that is no text, of a file from a system
    with another encoding, is a question mark.
    """
    if len(name) > LONGEST:
        half = (LONGEST - 1) // 2
        name = f"{name[:half].rstrip()}…{name[-half:].lstrip()}"
    return name.encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")
