"""One picture of ARM for all lessons: values and steps, forward in black, backward in red.

The same graph each time, with the steps of the moment lit and the others pale.
"""

from collections.abc import Collection
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

FORWARD, BACKWARD, PALE = "black", "#C0272D", "0.8"
WHOLE = {"x", "f", "y"}  # one value for each pixel; all others have one for each channel
APART = 0.055  # half the distance between an arrow and its way back
WIDTH, HEIGHT = 2.0, 1.6  # from value to value
Point = tuple[float, float]


class Step(NamedTuple):
    """From a value to the next: what is done on the way, and what comes back."""

    start: str
    end: str
    forward: str
    backward: str


_GATE = Step("s", "y", "×", "ds = Σ dy x")
_PAST = Step("x", "y", "×", "dy s")
_SIGMOID = Step("a", "s", "σ", "da = ds s (1 − s)")
_POOL = Step("x", "z", "mean", "dz / HW")

# Of each version of the module its steps, by name; "gate" and "past" are the two ways into ×.
EVENING = {
    "pool": _POOL,
    "linear": Step("z", "a", "W z + b", "dz = da W\ndW = Σ da z, db = Σ da"),
    "sigmoid": _SIGMOID,
    "gate": _GATE,
    "past": _PAST,
}
PAPER = {
    "pool": _POOL,
    "linear": Step("z", "u", "W z", "dz = du W\ndW = Σ du z"),
    "bn": Step("u", "a", "BN", "du\ndw, db"),
    "sigmoid": _SIGMOID,
    "gate": _GATE,
    "past": _PAST,
}
ARTICLE = {
    "conv": Step("x", "f", "conv 3×3, BN\nLeakyReLU", "dx, dW₃\ndw₁, db₁"),
    "pool": Step("f", "z", "mean", "dz / HW"),
    "linear": PAPER["linear"],
    "bn": Step("u", "a", "BN", "du\ndw₂, db₂"),
    "sigmoid": _SIGMOID,
    "gate": Step("s", "y", "×", "ds = Σ dy f"),
    "past": Step("f", "y", "×", "dy s"),
}
REPOSITORIES = ARTICLE | {"conv": Step("x", "f", "conv 3×3, BN\nReLU", "dx, dW₃\ndw₁, db₁")}


def arm_graph(
    lit: Collection[str] | None = None,
    steps: dict[str, Step] = EVENING,
    *,
    backward: bool = True,
) -> None:
    """Show the graph of a version. `lit` are the steps of the moment, all where it is None."""
    right = _right(steps)
    figure, ax = plt.subplots(figsize=(1.15 * right + 1.2, 2.9), layout="constrained")
    figure.set_label(f"Graph of ARM, {_words(steps, lit, backward)}")
    _draw(ax, steps, lit, backward)
    ax.set(xlim=(-0.5, right + 0.5))
    plt.show()


def arm_graphs(versions: dict[str, dict[str, Step]]) -> None:
    """Show versions forward, by their titles, below each other, so that what they share lines up."""
    widest = max(map(_right, versions.values()))
    size = 1.15 * widest + 1.2, 2.2 * len(versions)
    figure, axes = plt.subplots(len(versions), 1, figsize=size, layout="constrained")
    told = (f"{title}, {_words(steps, None, False)}" for title, steps in versions.items())
    figure.set_label("Graphs of ARM. " + ". ".join(told))
    for ax, (title, steps) in zip(axes, versions.items(), strict=True):
        _draw(ax, steps, None, backward=False)
        ax.set(xlim=(_right(steps) - widest - 0.5, _right(steps) + 0.5))
        ax.set_title(title, fontsize=11, loc="left")
    plt.show()


def _draw(ax: Axes, steps: dict[str, Step], lit: Collection[str] | None, backward: bool) -> None:
    places = _places(steps)
    for name, step in steps.items():
        on = lit is None or name in lit
        start, end = places[step.start], places[step.end]
        arrow(ax, start, end, step.forward, FORWARD if on else PALE)
        if backward:
            arrow(ax, end, start, step.backward, BACKWARD if on else PALE)
    for name, place in places.items():
        channels = "K" if "conv" in steps and name != "x" else "C"
        _value(ax, place, name, f"N {channels} H W" if name in WHOLE else f"N {channels} 1 1")
    ax.set(ylim=(-0.75, HEIGHT + 0.6))
    ax.axis("off")


def _right(steps: dict[str, Step]) -> float:
    """Where the last value stands."""
    return max(x for x, _ in _places(steps).values())


def _words(steps: dict[str, Step], lit: Collection[str] | None, backward: bool) -> str:
    """The graph for who cannot see it: its arrows in order, and back."""
    text = "forward: " + ", ".join(f"{s.start} → {s.end} {s.forward}" for s in steps.values())
    if backward:
        ways = [f"{s.end} → {s.start} " + s.backward.replace("\n", ", ") for s in steps.values()]
        text += "; backward: " + "; ".join(reversed(ways))
    if lit is not None:
        text += "; lit: " + ", ".join(f"{s.start} → {s.end}" for n, s in steps.items() if n in lit)
    return text


def _places(steps: dict[str, Step]) -> dict[str, Point]:
    """The features above, the branch below."""
    past = steps["past"].start
    branch = [step.end for name, step in steps.items() if name not in ("conv", "gate", "past")]
    first = WIDTH if past == "f" else 0.0
    places = {past: (first, HEIGHT)} | ({"x": (0.0, HEIGHT)} if past == "f" else {})
    places |= {name: (first + WIDTH * (at + 0.5), 0.0) for at, name in enumerate(branch)}
    return places | {"y": (first + WIDTH * len(branch), HEIGHT)}


def arrow(ax: Axes, start: Point, end: Point, text: str, colour: str) -> None:
    """An arrow, a little to the left of its way, with its text on that side."""
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    across = (y0 - y1) / length, (x1 - x0) / length  # to the left
    a, b = ((x + APART * across[0], y + APART * across[1]) for x, y in (start, end))
    style = {"arrowstyle": "-|>", "color": colour, "shrinkA": 15, "shrinkB": 15, "lw": 1.3}
    ax.annotate("", b, a, arrowprops=style)
    level = abs(y1 - y0) < 0.1
    ax.text(
        (x0 + x1) / 2 + 2 * APART * across[0],
        (y0 + y1) / 2 + 2 * APART * across[1],
        text,
        fontsize=9,
        color=colour,
        ha="center" if level else "right" if across[0] < 0 else "left",
        va="center" if not level else "bottom" if across[1] > 0 else "top",
    )


def _value(ax: Axes, place: Point, name: str, shape: str) -> None:
    x, y = place
    ax.text(x, y, name, fontsize=13, fontstyle="italic", ha="center", va="center")
    above = 0.24 if y else -0.24
    ax.text(x, y + above, shape, fontsize=7, color="0.45", ha="center", va="center")
