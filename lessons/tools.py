"""What the lessons share: a source, a comparison in one line, and pictures with fixed colours.

Gates are drawn in magma from 0 to 1, gradients in a map whose white is 0, and each channel keeps
one colour through a lesson: that of the light it stands for.
"""

import inspect
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any

import numpy as np
from IPython.display import Code, Image, display
from matplotlib import colormaps
from matplotlib.axes import Axes
from sklearn.datasets import load_sample_image

from armlab import hand, weights
from armlab.data import to_rgb
from armlab.hand.sequential import in_turn

CHANNELS = ("red", "green", "blue")
COLOURS = ("#D55E00", "#009E73", "#0072B2")  # Okabe and Ito's red, green and blue
CORNERS = [  # of six crops of the halved photographs, 64 rows by 96 columns
    ("china.jpg", 25, 75),
    ("china.jpg", 120, 55),
    ("china.jpg", 110, 210),
    ("flower.jpg", 70, 110),
    ("flower.jpg", 25, 20),
    ("flower.jpg", 130, 130),
]


def source(*things: Any) -> None:
    """Show the source of functions or classes, as it stands in the file."""
    texts = [dedent(inspect.getsource(thing)) for thing in things]
    display(Code("\n\n".join(texts), language="python"))


def compare(name: str, mine: Any, theirs: Any) -> None:
    """One line: equal to the last bit? Within 1e-12 of the largest value? How far off at most?"""
    mine, theirs = (np.asarray(a.detach() if hasattr(a, "detach") else a) for a in (mine, theirs))
    if mine.shape != theirs.shape:
        print(f"{name:<12} shape {mine.shape}, expected {theirs.shape}")
        return
    off, size = np.abs(mine - theirs).max(), np.abs(theirs).max()
    exact, close = np.array_equal(mine, theirs), bool(off <= 1e-12 * size + 1e-15)
    print(f"{name:<12} exact: {exact!s:<5}  close: {close!s:<5}  max difference: {off:.1e}")


def photographs() -> np.ndarray:
    """Six crops of scikit-learn's two photographs at half their size.  (6, 3, 64, 96) in 0 ... 1"""
    halved = {}
    for name in ("china.jpg", "flower.jpg"):
        pixels = load_sample_image(name)[:426] / 255
        halved[name] = pixels.reshape(213, 2, 320, 2, 3).mean(axis=(1, 3))
    crops = [halved[name][i : i + 64, j : j + 96] for name, i, j in CORNERS]
    return np.stack(crops).transpose(0, 3, 1, 2)


def trained(attention: str) -> hand.ToyNet:
    """The toy network after `armlab train`, with attention "none" or "arm", in evaluation mode.

    Its weights are kept beside the lessons, of seed 0 after 600 steps, so that a lesson shows what
    it says. Another machine, or another order of sums, ends in other weights and nearly the same
    mIoU: see the table in README.
    """
    return _kept(hand.ToyNet(3, attention, rng=0), f"toy-{attention}")


def trained_bisenet() -> hand.ToyBiSeNet:
    """The toy BiSeNet after 240 steps of the training in lesson 8c, in evaluation mode."""
    return _kept(hand.ToyBiSeNet(rng=0), "toy-bisenet")


def _kept(net: Any, name: str) -> Any:
    path = Path(__file__).parent / "trained" / f"{name}.safetensors"
    return net.load_state_dict(weights.load(path)).eval()


def features(net: hand.ToyNet, images: np.ndarray) -> np.ndarray:
    """What the last 3×3 of the toy network makes of images: with ARM, what it pools and scales.

    (N, 3, H, W) -> (N, 32, H/2, W/2)
    """
    layers = net.copy().children()
    y, _ = in_turn({name: layers[name] for name in ("conv1", "conv2", "conv3", "conv4")}, images)
    last = layers["refine"]
    return (last.conv if net.attention == "arm" else last)(y)[0]


def picture(ax: Axes, x: np.ndarray, title: str) -> None:
    """An image (3, H, W) in 0 ... 1."""
    ax.imshow(np.clip(x.transpose(1, 2, 0), 0, 1), interpolation="nearest")
    _bare(ax, title)


def scene(ax: Axes, image: np.ndarray, title: str) -> None:
    """An image of `Scenes` (3, H, W), as the network gets it."""
    picture(ax, to_rgb(image).transpose(2, 0, 1), title)


def feature_map(ax: Axes, x: np.ndarray, title: str, channel: int | None = None) -> None:
    """One channel (H, W) in grey, its title in the colour of the channel."""
    ax.imshow(x, cmap="gray", interpolation="nearest")
    _bare(ax, title, "black" if channel is None else COLOURS[channel])


def gate_map(ax: Axes, s: np.ndarray, title: str) -> Any:
    """A gate (H, W): magma from 0 to 1."""
    drawn = ax.imshow(s, cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    _bare(ax, title)
    return drawn


def gradient_map(ax: Axes, g: np.ndarray, title: str, limit: float | None = None) -> Any:
    """A gradient (H, W): white is 0, and the ends of the colours are at ± limit."""
    limit = limit or float(np.abs(g).max())
    drawn = ax.imshow(g, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    _bare(ax, title)
    return drawn


def gate_bars(ax: Axes, s: np.ndarray, title: str) -> None:
    """One gate per channel (3,): the height and the colour inside are the gate, the edge the channel."""
    ax.bar(CHANNELS, s, color=colormaps["magma"](s), edgecolor=COLOURS, linewidth=2.5, width=0.7)
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1])
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)


def channel_bars(ax: Axes, z: np.ndarray, title: str) -> None:
    """One number per channel (3,), each bar in the colour of its channel; 0 to 1 like a picture."""
    ax.bar(CHANNELS, z, color=COLOURS, width=0.7)
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1])
    ax.tick_params(labelsize=7)
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)


def numbers(ax: Axes, a: np.ndarray, form: str = "{}", skip: float | None = None) -> None:
    """Write the values of a small map (H, W) on its drawn pixels, all but those equal to `skip`."""
    pixels = ax.images[0].to_rgba(ax.images[0].get_array())[..., :3]
    for (i, j), value in np.ndenumerate(a):
        colour = "black" if pixels[i, j] @ (0.3, 0.6, 0.1) > 0.5 else "white"
        if value != skip:
            text = form.format(value)
            ax.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)


def by_kind(counts: dict[str, Any]) -> Counter[str]:
    """How many kernels, products, copies, fills and waits `emulator.counting` has counted."""
    kinds = Counter[str]()
    for count in counts.values():
        kinds[count.kind] += count.calls
    return kinds


def _bare(ax: Axes, title: str, colour: str = "black") -> None:
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=10, color=colour)


def graph(
    ax: Axes, boxes: dict[str, tuple[float, float, str]], arrows: list[tuple[str, str]]
) -> None:
    """Boxes {name: (x, y, text)}, each with its name above its text, and arrows between them.

    A text with the word "gate" makes its box purple, a name that begins with "+" a small circle.
    """
    drawn = {}
    for name, (x, y, text) in boxes.items():
        plus = name.startswith("+")
        colour = "white" if plus else "#EAD9EA" if "gate" in text else "#E8EEF4"
        shape = "circle,pad=0.15" if plus else "round,pad=0.35"
        drawn[name] = ax.text(
            x,
            y,
            "+" if plus else f"{name}\n{text}".strip(),
            ha="center",
            va="center",
            fontsize=8,
            bbox={"boxstyle": shape, "edgecolor": "0.4", "facecolor": colour},
        )
    for start, end in arrows:
        a, b = drawn[start], drawn[end]
        edges = {"patchA": a.get_bbox_patch(), "patchB": b.get_bbox_patch()}
        way = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 1, "shrinkB": 1, **edges}
        ax.annotate("", b.get_position(), a.get_position(), arrowprops=way)
    xs, ys = zip(*((x, y) for x, y, _ in boxes.values()), strict=True)
    ax.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.5, max(ys) + 0.5))
    ax.axis("off")


def from_file(draw: Callable[..., None], *arguments: Any, width: int, **named: Any) -> None:
    """Show a figure that `armlab.plots` writes to a file, so many pixels wide."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "figure.png")
        draw(*arguments, path=path, **named)
        display(Image(path.read_bytes(), width=width))
