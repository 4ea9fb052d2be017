"""What a reader gets who has no kernel or cannot see a picture: words, and frames for sliders."""

import base64
import html
import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from chromium import BROWSER, chromium
from lesson_tools import LESSONS, execution
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

BEFORE = """
from website import in_kernel
in_kernel.prepare()
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from armlab import plots
from tools import from_file, gate_bars, graph, picture
from arm_graph import PAPER, arm_graph
"""
FIGURES = {
    "picture and bars": """
_, axes = plt.subplots(1, 2)
picture(axes[0], np.random.default_rng(0).random((3, 4, 6)), "a photograph")
gate_bars(axes[1], np.array([0.25, 0.5, 0.75]), r"gates $\\hat{s}$ = σ(a)")
plt.show()""",
    "lines": """
plt.plot([0, 1, 2], [3, -1, 0.5], label="by hand")
plt.plot([0, 1, 2], [3, 2, 1], label="torch")
plt.plot([0, 1], [7, 8])
plt.axhline(100)
plt.xlabel("step"); plt.ylabel("loss")
plt.show()""",
    "maps": """
fig, axes = plt.subplots(1, 2)
drawn = axes[0].imshow([[0.125, 2.0, np.nan]], cmap="magma"); axes[0].set_title("gate")
axes[1].imshow([[-1, 0], [5, 1]], cmap="gray"); axes[1].set_title("x")
fig.colorbar(drawn, ax=axes)
plt.show()""",
    "dots": "plt.scatter([1, 2, 3], [4, 6, 5]); plt.xscale('log'); plt.show()",
    "many bars": "plt.barh(range(20), np.arange(20) ** 2); plt.show()",
    "a bar a name": "plt.barh(['SE', 'ARM'], [2184, 16640]); plt.text(1, 1, '16,640'); plt.show()",
    "intervals": "plt.errorbar([0, 1], [0.5, 0.25], [0.125, 0.0625], fmt='D'); plt.show()",
    "steps": "plt.hist([1, 1, 2], [0, 1.5, 3], histtype='step', label='red'); plt.show()",
    "many alike": """
_, axes = plt.subplots(3, 4)
for at, ax in enumerate(axes.flat):
    ax.imshow(np.full((2, 2), at)); ax.set_title(f"the map of channel {at}, by hand")
plt.show()""",
    "equal panels": """
_, axes = plt.subplots(1, 3)
for ax, title in zip(axes, "abc"):
    ax.imshow(np.ones((2, 3)), cmap="gray"); ax.set_title(title)
plt.show()""",
    "diagram": """
_, ax = plt.subplots()
graph(ax, {"x": (0, 0, "3 × 4"), "s": (1, 1, "gate"), "+y": (2, 0, "")},
      [("x", "s"), ("s", "+y"), ("x", "+y")])
plt.show()""",
    "graph of ARM": "arm_graph({'bn', 'sigmoid'}, PAPER)",
    "graph, forward": "arm_graph(steps=PAPER, backward=False)",
    "from a file": "from_file(plots.confusion, np.eye(2, dtype=int) * 5, ['A', 'B'], width=430)",
    "named": "plt.figure().set_label('Its author says it.'); plt.plot([1]); plt.show()",
}
SLIDERS = {
    "int": "ipywidgets.IntSlider(value=376, min=1, max=400, description='height <h>')",
    "float": "ipywidgets.FloatSlider(value=0.15, min=0, max=1, step=0.05)",
    "log": "ipywidgets.FloatLogSlider(value=1, base=10, min=-15, max=0.5, step=0.5)",
    "choice": "ipywidgets.SelectionSlider(options=[1, 3, 9], value=3, description='window k')",
}
DRAW = """
def draw(h):
    plt.plot([0, 1], [0, h])
    plt.title(f"up to {h:g}")
    plt.show()
"""


def executed(folder: Path, *codes: str) -> list[Any]:
    """The cells after those that prepare the kernel, executed among the lessons."""
    cells = [new_code_cell(code) for code in (BEFORE, *codes)]
    inline = "module://matplotlib_inline.backend_inline"
    execution.execute(
        new_notebook(cells=cells), LESSONS, 100, MPLBACKEND=inline, IPYTHONDIR=str(folder)
    )
    return cells[1:]


# -- words ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The alternative text of each figure."""
    cells = executed(tmp_path_factory.mktemp("ipython"), *FIGURES.values())
    shown = [[o for o in c.outputs if "image/png" in o.get("data", {})] for c in cells]
    return {
        name: out.metadata["image/png"]["alt"] for name, (out,) in zip(FIGURES, shown, strict=True)
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "picture and bars",
            "2 panels. “a photograph”: colour picture, 4 × 6. “gates hat s = σ(a)”: "
            "bars: red (0.25), green (0.5), blue (0.75)",
        ),
        (
            "lines",
            "line “by hand” from 3 to 0.5, within −1 to 3; line “torch” from 3 to 1, "
            "within 1 to 3; line from 7 to 8; over step 0 to 2; upwards: loss",
        ),
        (
            "maps",
            "2 panels. “gate”: heat map, 1 × 3, 0.125 to 2. “x”: grey picture, 2 × 2, −1 to 5",
        ),
        ("dots", "3 dots, 4 to 6; over x 1 to 3, log scale"),
        ("many bars", "20 bars, 0 to 361"),
        ("a bar a name", "bars: SE (2,184), ARM (16,640)"),
        ("intervals", "intervals: 0.5 ± 0.125, 0.25 ± 0.0625"),
        ("steps", "outline “red”, 0 to 2"),
        ("equal panels", "3 panels. “a”, “b”, “c”, each: grey picture, 2 × 3, 1 everywhere"),
        ("diagram", "diagram: x → s → +, x → +"),
        (
            "graph, forward",
            "Graph of ARM, forward: x → z mean, z → u W z, u → a BN, a → s σ, s → y ×, x → y ×",
        ),
        ("named", "Its author says it."),
    ],
)
def test_figure_says_what_it_shows(name: str, text: str, said: dict[str, str]) -> None:
    assert said[name] == text


def test_figures_differ_in_words(said: dict[str, str]) -> None:
    assert len(set(said.values())) == len(FIGURES)
    assert max(map(len, said.values())) <= 400


def test_many_panels_are_counted(said: dict[str, str]) -> None:
    told = re.fullmatch(r"12 panels\. (.*)\. and (\d+) more alike", said["many alike"])
    assert told
    assert told[1].count("heat map, 2 × 2") == 12 - int(told[2]) >= 4


def test_graph_of_arm_is_read_out_and_back(said: dict[str, str]) -> None:
    forward, backward, lit = re.split("; (?:backward|lit): ", said["graph of ARM"])
    assert forward.startswith("Graph of ARM, forward: x → z mean, z → u W z")
    assert backward.startswith("y → x dy s; y → s ds = Σ dy x; s → a da = ds s (1 − s)")
    assert lit == "u → a, a → s"


def test_figure_that_lay_in_a_file_says_what_it_shows(said: dict[str, str]) -> None:
    seen = "heat map, 2 × 2, 0 to 1; written: 100.0, 0, 0, 100.0"
    assert said["from a file"] == f"{seen}; across: Predicted; upwards: True class"


# -- frames -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What stands in the place of each slider, on one page."""
    codes = [f"_ = ipywidgets.interact(draw, h={slider})" for slider in SLIDERS.values()]
    cells = executed(tmp_path_factory.mktemp("ipython"), DRAW, *codes)[1:]
    made = {}
    for name, cell in zip(SLIDERS, cells, strict=True):
        (out,) = cell.outputs
        made[name] = out.data["text/html"]
    return made


def frames(page: str) -> list[dict[str, str]]:
    return json.loads(BeautifulSoup(page, "html.parser").find("script").string)


@pytest.mark.parametrize(
    ("name", "label", "count", "ends", "first"),
    [
        ("int", "height <h>", 21, ("1", "400"), "376"),
        ("float", "h", 21, ("0.00", "1.00"), "0.15"),
        ("log", "h", 21, ("1e-15", "3.16"), "1"),
        ("choice", "window k", 3, ("1", "9"), "3"),
    ],
)
def test_slider_has_frames(
    name: str, label: str, count: int, ends: tuple[str, str], first: str, pages: dict[str, str]
) -> None:
    found, page = frames(pages[name]), BeautifulSoup(pages[name], "html.parser")
    assert len(found) == count
    assert (found[0]["value"], found[-1]["value"]) == ends
    at = int(page.input["value"])
    assert page.output.text == found[at]["value"] == first
    assert (page.img["src"], page.img["alt"]) == (found[at]["src"], found[at]["alt"])
    assert page.label.text == label
    assert page.label["for"] == page.input["id"]
    assert int(page.input["max"]) == count - 1
    assert len({frame["src"] for frame in found}) == len({frame["alt"] for frame in found}) == count
    for frame in found:
        kind, data = frame["src"].split(",")
        assert kind == "data:image/png;base64"
        Image.open(io.BytesIO(base64.b64decode(data))).verify()
        assert f"“up to {float(frame['value']):g}”" in frame["alt"] or name == "log"


def test_frames_are_spread_evenly(pages: dict[str, str]) -> None:
    values = [int(frame["value"]) for frame in frames(pages["int"])]
    apart = [b - a for a, b in itertools.pairwise(values)]
    assert 376 in values
    assert max(apart) == 21  # 399 steps in 19 pieces


def test_ids_are_unique_on_a_page(pages: dict[str, str]) -> None:
    ids = re.findall(r'\bid="(.*?)"', "".join(pages.values()))
    assert len(ids) == len(set(ids)) == 2 * len(SLIDERS)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ipywidgets.interact(draw, h=(0, 3))", "expected a slider of ipywidgets, got tuple"),
        ("ipywidgets.interact(lambda h: print(h), h=ipywidgets.IntSlider())", "for h = 0, got 0"),
    ],
)
def test_what_has_no_frames_stops_the_page(code: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match=re.escape(error)):
        executed(tmp_path, DRAW, code)


# -- in a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize("name", [pytest.param(name, marks=BROWSER) for name in SLIDERS])
def test_keys_move_the_frames(
    name: str, pages: dict[str, str], reader: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    file, found = tmp_path / "page.html", frames(pages[name])
    file.write_text(f"<!doctype html><meta charset=utf-8>{''.join(pages.values())}", "utf-8")
    reader.get(file.as_uri())
    at = list(SLIDERS).index(name)
    one = reader.find_elements(By.CLASS_NAME, "frames")[at]
    control, img, output = (one.find_element(By.TAG_NAME, t) for t in ("input", "img", "output"))
    assert control.is_displayed()
    assert control.accessible_name == html.unescape(one.find_element(By.TAG_NAME, "label").text)
    now = int(control.get_attribute("value"))
    for key, then in ((Keys.ARROW_LEFT, now - 1), (Keys.HOME, 0), (Keys.END, len(found) - 1)):
        control.send_keys(key)
        frame = found[then]
        assert img.get_attribute("src") == frame["src"]
        assert img.get_attribute("alt") == frame["alt"]
        assert output.text == control.get_attribute("aria-valuetext") == frame["value"]
    others = reader.find_elements(By.CLASS_NAME, "frames")
    assert others[at - 1].find_element(By.TAG_NAME, "input").get_attribute("value") != then


@pytest.mark.parametrize("name", [pytest.param("float", marks=BROWSER)])
def test_first_frame_reads_without_scripts(
    name: str, pages: dict[str, str], reader: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By

    file = tmp_path / "page.html"
    off = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">"
    file.write_text(f"<!doctype html><meta charset=utf-8>{off}{pages[name]}", "utf-8")
    reader.get(file.as_uri())
    one = reader.find_element(By.CLASS_NAME, "frames")
    assert one.find_element(By.TAG_NAME, "p").text == "h 0.15"
    assert not one.find_element(By.TAG_NAME, "input").is_displayed()
    assert int(one.find_element(By.TAG_NAME, "img").get_property("naturalWidth")) > 100
