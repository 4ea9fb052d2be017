"""What the figures share: their colours, and a figure that belongs to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Okabe and Ito: told apart with any colour vision
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
CHANNELS = (RED, GREEN, BLUE, ORANGE, SKY, PURPLE)  # a picture's three channels come first


def channel_colour(channel: int) -> str:
    """The colour of a channel, in every figure; after six channels they come round again."""
    return CHANNELS[channel % len(CHANNELS)]


def channel_map(channel: int) -> Colormap:
    """From black through the colour of the channel to white."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = ["black", channel_colour(channel), "white"]
    return LinearSegmentedColormap.from_list(f"channel {channel}", colours)


def whole_numbers(*axes: Axis) -> None:
    """Ticks at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    for axis in axes:
        axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def new_figure(width: float, height: float, constrained: bool = True) -> Figure:
    """A figure of its own, drawn by Agg: no window and no global state."""
    from armlab.plots.figure import OwnFigure

    return OwnFigure(width, height, constrained)
