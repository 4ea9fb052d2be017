"""The map of BiSeNet in chapter 8: its shapes are the modules', and its words can be read."""

import ast
import re
from itertools import combinations
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from lesson_tools import BOOKS, CHAPTERS, LESSONS, loaded
from matplotlib.figure import Figure

from armlab import hand

HEIGHT, WIDTH, CLASSES = 64, 96, 19


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The lessons' file, which shows nothing here."""
    monkeypatch.syspath_prepend(LESSONS)
    monkeypatch.setattr(plt, "show", lambda: None)
    return loaded("bisenet_map")


def images() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, 3, HEIGHT, WIDTH)).astype("float32")


def of_the_paper() -> dict[str, Any]:
    """Every map of the paper's network."""
    net, m = hand.BiSeNet(CLASSES, rng=0), {"x": images()}
    (m["f₈"], m["f₁₆"], m["f₃₂"]), _ = net.cp.resnet(m["x"])
    m["g"], _ = net.cp.conv_avg(hand.global_avg_pool(m["f₃₂"])[0])
    m["r₃₂"], _ = net.cp.arm32(m["f₃₂"])
    m["r₁₆"], _ = net.cp.arm16(m["f₁₆"])
    (m["y₈"], m["y₁₆"]), _ = net.cp(m["x"])
    m["Σ₃₂"], m["Σ₁₆"] = m["r₃₂"] + m["g"], m["r₁₆"] + m["y₁₆"]
    m["sp"], _ = net.sp(m["x"])
    m["f"], _ = net.ffm(m["sp"], m["y₈"])
    (m["y"], m["a₈"], m["a₁₆"]), _ = net(m["x"])
    return m


def of_the_article() -> dict[str, Any]:
    """The maps of the article's network that a module returns."""
    net, m = hand.ThreeScaleBiSeNet(CLASSES, rng=0), {"x": images()}
    (m["f₈"], m["f₁₆"], m["f₃₂"]), _ = net.cp.resnet(m["x"])
    for scale, arm in (("₈", net.cp.arm8), ("₁₆", net.cp.arm16), ("₃₂", net.cp.arm32)):
        m[f"r{scale}"], _ = arm(m[f"f{scale}"])
    (m["y₈"], _), _ = net.cp(m["x"])
    (m["y"], m["a₁₆"]), _ = net(m["x"])
    return m


def shape_of(text: str) -> tuple[int, ...]:
    """ "128 × H/8 × W/8" for these images."""
    sizes = {"classes": CLASSES, "H": HEIGHT, "W": WIDTH}
    parts = [re.fullmatch(r"(\w+)(?:/(\d+))?", part) for part in text.split(" × ")]
    return tuple(
        (sizes[p[1]] if p[1] in sizes else int(p[1])) // int(p[2] or 1) for p in parts if p
    )


@pytest.mark.parametrize(
    ("name", "maps"), [("PAPER", of_the_paper), ("ARTICLE", of_the_article)], ids=lambda v: v
)
def test_shapes_on_the_map_are_those_of_the_modules(
    drawing: ModuleType, name: str, maps: Any
) -> None:
    places = getattr(drawing, name).places
    for value, array in maps().items():
        assert shape_of(places[value].shape) == array.shape[1:], value


def test_gradients_meet_at_the_five_forks_of_the_paper(drawing: ModuleType) -> None:
    parts = drawing.PAPER.parts
    left = [part.start for part in parts]
    assert {start for start in left if left.count(start) > 1} == {"x", "f₁₆", "f₃₂", "y₁₆", "y₈"}
    for part in parts:
        assert part.backward == f"d{part.start}"


def drawn(drawing: ModuleType, *arguments: Any) -> Figure:
    drawing.bisenet_map(*arguments)
    figure = plt.gcf()
    figure.canvas.draw()
    return figure


@pytest.mark.parametrize("name", ["PAPER", "ARTICLE"])
def test_no_two_words_of_the_map_cover_each_other(drawing: ModuleType, name: str) -> None:
    network = getattr(drawing, name)
    figure = drawn(drawing, None, network)
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert len(boxes) == 2 * len(network.parts) + 2 * len(network.places)
    assert not [(a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]
    assert all(figure.bbox.contains(x, y) for _, box in boxes for x, y in box.corners())
    plt.close(figure)


def test_only_the_part_of_the_moment_is_lit(drawing: ModuleType) -> None:
    figure = drawn(drawing, {"fusion"})
    lit = [text for text in figure.axes[0].texts if text.get_color() == drawing.BACKWARD]
    assert sorted(text.get_text() for text in lit) == ["dsp", "dy₈"]
    plt.close(figure)


def test_lessons_light_parts_that_there_are(drawing: ModuleType) -> None:
    code = "\n".join(cell.source for lesson in CHAPTERS["8"] for cell in BOOKS[lesson].cells)
    named = [ast.literal_eval(found) for found in re.findall(r"bisenet_map\((\{.*?\})", code)]
    known = {part.part for part in drawing.PAPER.parts}
    assert set().union(*named) == known
