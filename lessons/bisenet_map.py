"""One map of BiSeNet for all of chapter 8: its maps and steps, forward in black, backward in red.

The same map each time, with the parts of the moment lit and the others pale. Each red word is the
gradient that its arrow brings: a map that two of them reach adds them up.
"""

from collections.abc import Collection
from typing import NamedTuple

import matplotlib.pyplot as plt
from arm_graph import BACKWARD, FORWARD, PALE, Point, arrow
from matplotlib.axes import Axes

SIDES = {  # from a map's name to its shape, with the words of an arrow between them
    "above": (0.0, 0.38, "center"),
    "below": (0.0, -0.38, "center"),
    "left": (-0.3, 0.0, "right"),
    "before": (0.15, 0.38, "right"),
}


class Part(NamedTuple):
    """An arrow of the map: the part of the network that it belongs to, and its words."""

    part: str
    start: str
    end: str
    forward: str
    backward: str


class Place(NamedTuple):
    """Where a map stands, and its shape with the paper's channels, behind N."""

    at: Point
    shape: str
    side: str = "above"  # one of SIDES, where no arrow crosses its shape


class Network(NamedTuple):
    places: dict[str, Place]
    parts: list[Part]


def _scaled(channels: int, scale: int) -> str:
    return f"{channels} × H/{scale} × W/{scale}"


_TRUNK = [
    Part("trunk", "x", "f₈", "stem, layers 1 and 2", "dx"),
    Part("trunk", "f₈", "f₁₆", "layer 3", "df₈"),
    Part("trunk", "f₁₆", "f₃₂", "layer 4", "df₁₆"),
    Part("arm", "f₁₆", "r₁₆", "ARM16", "df₁₆"),
    Part("arm", "f₃₂", "r₃₂", "ARM32", "df₃₂"),
]
PAPER = Network(
    {
        "x": Place((0, 4.0), "3 × H × W"),
        "f₈": Place((0, 2.7), _scaled(128, 8), "left"),
        "f₁₆": Place((0, 1.4), _scaled(256, 16), "left"),
        "f₃₂": Place((0, 0), _scaled(512, 32), "left"),
        "r₁₆": Place((2.2, 1.4), _scaled(128, 16)),
        "r₃₂": Place((2.2, 0), _scaled(128, 32)),
        "g": Place((2.2, -1.4), "128 × 1 × 1", "below"),
        "Σ₃₂": Place((4.0, 0), _scaled(128, 32)),
        "y₁₆": Place((6.0, 0), _scaled(128, 16), "below"),
        "Σ₁₆": Place((6.0, 1.4), _scaled(128, 16)),
        "y₈": Place((8.0, 1.4), _scaled(128, 8), "below"),
        "sp": Place((4.0, 4.0), _scaled(128, 8)),
        "f": Place((8.0, 4.0), _scaled(256, 8)),
        "y": Place((10.0, 4.0), "classes × H × W"),
        "a₈": Place((10.0, 1.4), "classes × H × W"),
        "a₁₆": Place((8.0, 0), "classes × H × W", "below"),
    },
    [
        *_TRUNK,
        Part("context", "f₃₂", "g", "mean, 1×1", "df₃₂"),
        Part("add", "r₃₂", "Σ₃₂", "+", "dr₃₂"),
        Part("add", "g", "Σ₃₂", "+", "dg"),
        Part("up", "Σ₃₂", "y₁₆", "nearest ↑, 3×3", "dΣ₃₂"),
        Part("add", "r₁₆", "Σ₁₆", "+", "dr₁₆"),
        Part("add", "y₁₆", "Σ₁₆", "+", "dy₁₆"),
        Part("up", "Σ₁₆", "y₈", "nearest ↑, 3×3", "dΣ₁₆"),
        Part("spatial", "x", "sp", "spatial path: 7×7, 3×3, 3×3, 1×1", "dx"),
        Part("fusion", "sp", "f", "FFM", "dsp"),
        Part("fusion", "y₈", "f", "FFM", "dy₈"),
        Part("head", "f", "y", "head, bilinear ↑", "df"),
        Part("auxiliary", "y₈", "a₈", "head, bilinear ↑", "dy₈"),
        Part("auxiliary", "y₁₆", "a₁₆", "head, bilinear ↑", "dy₁₆"),
    ],
)
ARTICLE = Network(
    {
        "x": Place((0, 4.2), "3 × H × W"),
        "f₈": Place((0, 3.0), _scaled(128, 8), "left"),
        "f₁₆": Place((0, 1.6), _scaled(256, 16), "left"),
        "f₃₂": Place((0, 0), _scaled(512, 32), "left"),
        "r₈": Place((2.2, 3.0), _scaled(128, 8)),
        "r₁₆": Place((2.2, 1.6), _scaled(128, 16), "before"),
        "r₃₂": Place((2.2, 0), _scaled(128, 32), "below"),
        "m₈": Place((4.8, 3.0), _scaled(128, 8)),
        "m₁₆": Place((4.8, 1.6), _scaled(128, 8)),
        "g₈": Place((7.0, 3.0), _scaled(128, 8)),
        "g₁₆": Place((7.0, 0.8), _scaled(128, 8), "below"),
        "y₈": Place((8.4, 3.0), _scaled(128, 8), "below"),
        "y": Place((10.0, 3.0), "classes × H × W"),
        "a₁₆": Place((2.2, 0.75), "classes × H × W", "left"),
    },
    [
        *_TRUNK,
        Part("arm", "f₈", "r₈", "ARM8", "df₈"),
        Part("stack", "r₈", "m₈", "[ ; ], 1×1", "dr₈"),
        Part("stack", "r₁₆", "m₈", "↑, 3×3", "dr₁₆"),
        Part("stack", "r₁₆", "m₁₆", "[ ; ], 1×1, ↑", "dr₁₆"),
        Part("stack", "r₃₂", "m₁₆", "↑, 3×3", "dr₃₂"),
        Part("gate", "m₁₆", "g₁₆", "×", "dm₁₆"),
        Part("gate", "r₃₂", "g₁₆", "↑, 1×1, BN, σ", "dr₃₂"),
        Part("gate", "m₈", "g₈", "×", "dm₈"),
        Part("gate", "g₁₆", "g₈", "1×1, BN, σ", "dg₁₆"),
        Part("head", "g₈", "y₈", "1×1", "dg₈"),
        Part("head", "y₈", "y", "head, ↑", "dy₈"),
        Part("auxiliary", "r₁₆", "a₁₆", "head, ↑", "dr₁₆"),
    ],
)


def bisenet_map(
    lit: Collection[str] | None = None, network: Network = PAPER, *, backward: bool = True
) -> None:
    """Show the map of a network. `lit` are the parts of the moment, all where it is None."""
    places = {name: place.at for name, place in network.places.items()}
    low, high = (of(y for _, y in places.values()) for of in (min, max))
    size = 11, 0.93 * (high - low) + 1.2
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    figure.set_label(_words(network, lit, backward))
    for part, start, end, forward, back in network.parts:
        on = lit is None or part in lit
        arrow(ax, places[start], places[end], forward, FORWARD if on else PALE)
        if backward:
            arrow(ax, places[end], places[start], back, BACKWARD if on else PALE)
    for name, place in network.places.items():
        _value(ax, name, place)
    ax.set(xlim=(-1.2, 10.7), ylim=(low - 0.6, high + 0.6))
    ax.axis("off")
    plt.show()


def _words(network: Network, lit: Collection[str] | None, backward: bool) -> str:
    """The map for who cannot see it: its arrows, or those that are lit."""
    shown = [part for part in network.parts if lit is None or part.part in lit]
    ways = [f"{way.start} → {way.end} {way.forward}" for way in shown]
    back = [f"{way.end} → {way.start} {way.backward}" for way in reversed(shown)]
    name = "the article's network" if network is ARTICLE else "BiSeNet"
    text = f"Map of {name}{'' if lit is None else ', lit'}: {', '.join(ways)}"
    return f"{text}; backward: {', '.join(back)}" if backward else text


def _value(ax: Axes, name: str, place: Place) -> None:
    """A map: its name, and its shape in grey beside it."""
    x, y = place.at
    ax.text(x, y, name, fontsize=14, fontstyle="italic", ha="center", va="center")
    right, up, align = SIDES[place.side]
    shape = place.shape.replace(" × ", " ×\n", 1) if place.side == "left" else place.shape
    ax.text(x + right, y + up, shape, fontsize=8, color="0.4", ha=align, va="center")
