"""A panel of a figure in words: its title, what it shows, between which values, over which axes."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.text import Annotation, Text

FEW = 9  # values that are read out one by one
GREYS = ("gray", "Greys")
VALUE = re.compile(r"[-−]?[\d.,]+ ?[%kMG]?")


def title(ax: Axes) -> str:
    return " ".join(ax.get_title(loc=side) for side in ("left", "center", "right")).strip()


def shown(ax: Axes) -> list[str]:
    """What a panel shows, thing by thing, and its axes."""
    return [*(text for say in KINDS for text in say(ax)), *_axes(ax)]


def kinds(ax: Axes) -> tuple[str, ...]:
    """Of which kinds the things are that a panel shows; empty where there are none."""
    return tuple(say.__name__ for say in KINDS if any(True for _ in say(ax)))


def pictures(ax: Axes) -> Iterable[str]:
    for image in ax.images:
        values = image.get_array()
        size = f"{values.shape[0]} × {values.shape[1]}"
        if values.ndim == 3:
            colours = len(np.unique(values.reshape(-1, values.shape[-1]), axis=0))
            few = f" of {colours} colours" if colours <= FEW else ""
            yield f"colour picture{few}, {size}"
        else:
            grey = image.get_cmap().name in GREYS
            yield f"{'grey picture' if grey else 'heat map'}, {size}, {_range(values)}"
    for mesh in ax.collections:
        if isinstance(mesh, QuadMesh):
            yield f"heat map, {' × '.join(map(str, mesh.get_array().shape))}, {_range(mesh.get_array())}"


def bars(ax: Axes) -> Iterable[str]:
    """Those of one label together: where they are few, each with its name and value."""
    found: dict[str, dict[str, float]] = {}
    for container in ax.containers:
        if isinstance(container, BarContainer):
            label, across = str(container.get_label()), container.orientation == "horizontal"
            axis = ax.yaxis if across else ax.xaxis
            for bar, value in zip(container, np.ravel(container.datavalues), strict=True):
                at = (
                    bar.get_y() + bar.get_height() / 2
                    if across
                    else bar.get_x() + bar.get_width() / 2
                )
                of_label = found.setdefault("" if label.startswith("_") else label, {})
                of_label[_tick(axis, at) or number(at)] = float(value)
    for label, values in found.items():
        name = f" “{label}”" if label else ""
        if len(values) > FEW:
            yield f"{len(values)} bars{name}, {_range(list(values.values()))}"
        else:
            told = (f"{key} ({number(value)})" for key, value in values.items())
            yield f"bars{name}: " + ", ".join(told)


def intervals(ax: Axes) -> Iterable[str]:
    """Means with what they may be off."""
    told = []
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, strokes = container.lines
            for middle, stroke in zip(line.get_ydata(), strokes[0].get_segments(), strict=True):
                told.append(f"{number(middle)} ± {number(np.ptp(stroke[:, 1]) / 2)}")
    if told:
        yield "intervals: " + ", ".join(told[:FEW])


def lines(ax: Axes) -> Iterable[str]:
    """Each with its label, from its first value to its last; many without one at once."""
    drawn = _drawn(ax)
    named = [line for line in drawn if not str(line.get_label()).startswith("_")]
    rest = [line for line in drawn if line not in named]
    for line in named:
        yield f"{_sort(line)} “{line.get_label()}” {_course(line)}"
    if len(rest) == 1:
        yield f"{_sort(rest[0])} {_course(rest[0])}"
    elif rest:
        values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in rest])
        yield f"{len(rest)} {'lines' if _sort(rest[0]) == 'line' else 'marks'}, {_range(values)}"


def dots(ax: Axes) -> Iterable[str]:
    if clouds := _clouds(ax):
        at = np.concatenate(clouds)
        yield f"{len(at)} dots, {_range(at[:, 1])}"


def areas(ax: Axes) -> Iterable[str]:
    if found := [c for c in ax.collections if isinstance(c, PolyCollection)]:
        yield f"{sum(len(c.get_paths()) for c in found)} areas"
    if any(isinstance(c, ContourSet) for c in ax.collections):
        yield "with outlines"
    for shape in ax.patches:
        if isinstance(shape, Polygon) and not str(shape.get_label()).startswith("_"):
            yield f"outline “{shape.get_label()}”, {_range(shape.get_xy()[:, 1])}"


def writing(ax: Axes) -> Iterable[str]:
    """Arrows between texts in their order, or the texts where they are few."""
    texts = [t for t in ax.texts if t.get_text().strip()]
    arrows = [t for t in ax.texts if isinstance(t, Annotation) and not t.get_text()]
    if arrows and texts:
        yield "diagram: " + _ways(
            [(_nearest(texts, a.xyann), _nearest(texts, a.xy)) for a in arrows]
        )
        return
    barred = any(True for _ in bars(ax))  # beside bars, their values
    said = [t.get_text() for t in texts if not (barred and VALUE.fullmatch(t.get_text()))]
    if said and len(said) <= FEW:
        yield "written: " + ", ".join(said)


KINDS: tuple[Callable[[Axes], Iterable[str]], ...] = (
    pictures, bars, intervals, lines, dots, areas, writing,
)  # fmt: skip


def number(value: float) -> str:
    """Three digits, thousands with their comma."""
    text = f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
    return text.replace("-", "−")


def _range(values: Any) -> str:
    kept = np.ma.masked_invalid(np.ma.asarray(values, dtype=float)).compressed()
    if not len(kept):
        return "no values"
    low, high = number(kept.min()), number(kept.max())
    return f"{low} everywhere" if low == high else f"{low} to {high}"


def _tick(axis: Any, at: float) -> str:
    """What is written on an axis at a place."""
    places = list(axis.get_majorticklocs())
    written = axis.get_major_formatter().format_ticks(places)
    return next((t for t, place in zip(written, places, strict=True) if abs(place - at) < 0.01), "")


def _drawn(ax: Axes) -> list[Line2D]:
    """The lines over the data: without those across the whole panel, and those of intervals."""
    of_intervals = [c.lines for c in ax.containers if isinstance(c, ErrorbarContainer)]
    apart = {id(line) for first, caps, _ in of_intervals for line in (first, *caps)}
    return [
        line
        for line in ax.lines
        if line.get_transform() == ax.transData and id(line) not in apart and len(line.get_xdata())
    ]


def _clouds(ax: Axes) -> list[np.ndarray]:
    return [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]


def _sort(line: Line2D) -> str:
    if line.get_linestyle() != "None":
        return "line"
    return "marks" if len(line.get_xdata()) > 1 else "mark"


def _course(line: Line2D) -> str:
    values = np.asarray(line.get_ydata(), dtype=float)
    if len(values) == 1:
        return f"at {number(float(line.get_xdata()[0]))}, {number(values[0])}"
    course = f"from {number(values[0])} to {number(values[-1])}"
    ends = f"{number(values.min())} to {number(values.max())}"
    return course if course == f"from {ends}" else f"{course}, within {_range(values)}"


def _axes(ax: Axes) -> Iterable[str]:
    """The names of the axes; where something is plotted over x, its range too."""
    x, y = ax.get_xlabel(), ax.get_ylabel()
    over = [line.get_xdata() for line in _drawn(ax)] + [at[:, 0] for at in _clouds(ax)]
    values = np.concatenate(over) if over else np.zeros(0)
    plotted = ax.axison and not ax.images and not any(True for _ in bars(ax))
    if plotted and len(np.unique(values)) > 1:
        log = ", log scale" if ax.get_xscale() == "log" else ""
        yield f"over {x or 'x'} {_range(values)}{log}"
    elif x:
        yield f"across: {x}"
    if y:
        yield f"upwards: {y}"


def _ways(arrows: list[tuple[str, str]]) -> str:
    """a → b → c, d → e: each arrow goes on where the one before it ends, if it can."""
    told, end = "", None
    for start, then in arrows:
        told += f" → {then}" if start == end else f"{', ' if told else ''}{start} → {then}"
        end = then
    return told


def _nearest(texts: list[Text], at: tuple[float, float]) -> str:
    """The name in the box at a place: its first line."""
    near = min(texts, key=lambda t: np.hypot(*np.subtract(t.get_position(), at)))
    return near.get_text().strip().splitlines()[0]
