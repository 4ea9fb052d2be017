"""The site of the lessons in a browser without a network: on a phone and a desk, light and dark."""

import base64
import importlib
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from chromium import BROWSER, chromium, wait
from lesson_tools import BOOKS, LESSONS, notebooks
from PIL import Image
from site_tools import RAN, Page

pytestmark = BROWSER

PHONE, DESK = (390, 844), (1280, 800)
TAB, ENTER, HOME_AND_END = "\ue004", "\ue007", ("\ue011", "\ue010")  # as WebDriver writes them
MODULE = "armlab/hand/attention_refinement.py"
LOOKED_AT = ["index", RAN, "armlab/hand/__init__.py", MODULE, "search"]
HERE = Path(__file__).resolve().parent
SCRIPTS = (HERE / "site_in_browser.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    log = {"performance": "ALL"}
    with chromium(tmp_path_factory.mktemp("profile"), offline, goog_loggingPrefs=log) as browser:
        yield browser


def asked(reader: Any, script: str) -> Any:
    """What a function of the scripts answers on the page, once its formulas are drawn."""
    return reader.execute_async_script(f"{SCRIPTS}\ndrawn().then({script}).then(arguments[0])")


def opened(reader: Any, page: Path, screen: tuple[int, int]) -> None:
    resized(reader, screen)
    reader.get(page.as_uri())


def resized(reader: Any, screen: tuple[int, int]) -> None:
    width, height = screen
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": screen == PHONE}
    reader.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def media(reader: Any, **features: str) -> None:
    """The medium, or what the reader prefers, as an option of the system says it."""
    listed = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items() if k != "type"]
    asked_for = {"media": features.get("type", ""), "features": listed}
    reader.execute_cdp_cmd("Emulation.setEmulatedMedia", asked_for)


def requested(reader: Any) -> list[str]:
    """What the page asked for since the last question."""
    events = [json.loads(entry["message"])["message"] for entry in reader.get_log("performance")]
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent]


def pressed(reader: Any, key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(reader).send_keys(key).perform()


@pytest.mark.parametrize("page", [*BOOKS, *(p for p in LOOKED_AT if p not in BOOKS)])
def test_page_fits_every_screen_and_asks_for_nothing_from_elsewhere(
    page: str, site: Path, reader: Any
) -> None:
    requested(reader)  # what the browser opened with
    opened(reader, site / f"{page}.html", PHONE)
    found = asked(reader, "formulas")
    assert not found["wrong"]
    assert not found["empty"]
    assert "$" not in found["text"]
    assert "\\" not in found["text"]
    urls = requested(reader)
    assert urls
    assert {urlsplit(url).scheme for url in urls} <= {"file", "data", "chrome"}  # its own pages
    cells = BOOKS[page].cells if page in BOOKS else []
    written = sum(cell.source.count("$$") for cell in cells if cell.cell_type == "markdown")
    assert found["displayed"] == written // 2
    for screen in (PHONE, DESK):
        resized(reader, screen)
        assert asked(reader, "wider") == []


def test_a_formula_too_wide_for_a_phone_can_be_scrolled(site: Path, reader: Any) -> None:
    opened(reader, site / f"{RAN}.html", PHONE)
    found = asked(reader, "scrolled")
    assert found["wide"] >= 3
    assert found["moved"] == found["wide"]


def test_on_a_phone_the_first_screen_is_the_lesson(site: Path, reader: Any) -> None:
    opened(reader, site / f"{RAN}.html", PHONE)
    title, contents, text = asked(reader, "first_screen")
    assert title < 200  # of 844
    assert not contents
    assert text > 300  # letters that can be read without scrolling


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", LOOKED_AT)
def test_text_stands_out(page: str, scheme: str, site: Path, reader: Any) -> None:
    media(reader, prefers_color_scheme=scheme)
    for screen in (PHONE, DESK):
        opened(reader, site / f"{page}.html", screen)
        dark, letters, pale = asked(reader, "contrast")
        assert dark == (scheme == "dark")
        assert letters > 100
        assert pale == []  # less than 4.5 to 1, by WCAG 2
    media(reader)


def test_everything_can_be_reached_by_the_keyboard(site: Path, reader: Any) -> None:
    opened(reader, site / f"{RAN}.html", DESK)
    asked(reader, "formulas")
    reached: dict[str, bool] = {}
    for _ in range(400):
        pressed(reader, TAB)
        kind, fold = asked(reader, "focused")
        if kind == "SUMMARY" and kind not in reached:
            pressed(reader, ENTER)
            assert not fold
            assert asked(reader, "focused")[1], "Enter opens a fold"
        if kind == "range":
            frames = [pressed(reader, key) or asked(reader, "frame") for key in HOME_AND_END]
            assert frames[0] != frames[1]
        reached[kind] = True
        if kind == "next":
            break
    assert set(reached) >= {"search", "SUMMARY", "range", "A", "next"}


def test_search_finds_a_lesson_without_a_server(site: Path, reader: Any) -> None:
    opened(reader, site / "index.html", DESK)
    box = reader.find_element("css selector", ".sidebar-search")
    box.send_keys("sigmoid gate" + ENTER)
    found = wait("results", 30, lambda: asked(reader, "results"))
    address = next(address for address in found if "/armlab/" not in address)
    reader.get(address)
    assert "gate" in reader.title


def test_print_holds_figures_formulas_and_folds(site: Path, reader: Any) -> None:
    opened(reader, site / f"{RAN}.html", DESK)
    formulas = asked(reader, "formulas")["drawn"]
    figures, folds = asked(reader, "to_print")
    assert figures >= 5
    assert folds["shut"] == folds["all"] > 5
    media(reader, type="print")
    assert asked(reader, "to_print")[1]["shut"] == 0
    media(reader)
    printed = base64.b64decode(reader.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert_pdf(printed, figures, formulas)


def test_lessons_are_printed_into_one_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two pages, with two pictures from one cell, each with words of its own, and a formula."""
    monkeypatch.syspath_prepend(str(LESSONS))
    building = importlib.import_module("website.building")
    books = small_books()
    building.build(books, "html", tmp_path / "pages", pdf=True)
    lesson = Page(tmp_path / "pages" / "01_lesson.html").soup
    assert [img["alt"] for img in lesson.select(".cell_output img")] == ["a [red] square", "blue"]
    assert lesson.select_one("#own-html").get_text() == "as it is"
    assert Page(tmp_path / "pages" / "index.html").soup.select_one('a[href="armlab.pdf"]')
    building.print_pdf(books, tmp_path / "armlab.pdf")
    printed = (tmp_path / "armlab.pdf").read_bytes()
    assert_pdf(printed, figures=2, formulas=3)
    assert printed.count(b"/Type /Page\n") == 2


def small_books() -> dict[str, nbformat.NotebookNode]:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    words = {"red": "a [red] square", "blue": "blue"}
    shown = [
        new_output("display_data", {"image/png": png(colour)}, metadata={"image/png": {"alt": alt}})
        for colour, alt in words.items()
    ]
    own = new_output("display_data", {"text/html": "<p id='own-html'>as it is</p>"})
    text = "# A lesson\n\n| | |\n|---|---|\n| Explains | [x](../armlab/arrays.py) |"
    formula = (
        "$$\\begin{cases} \\sigma(a) \\\\ \\frac{1}{HW} \\end{cases} \\tag{1}$$\n\n$x$ and $y$"
    )
    cells = [
        new_markdown_cell(text),
        new_code_cell("draw()", outputs=[*shown, own]),
        new_markdown_cell(formula),
    ]
    index = new_notebook(cells=[new_markdown_cell("# Contents\n\nOf one lesson.")])
    return {"index": index, "01_lesson": new_notebook(cells=cells, metadata=notebooks.METADATA)}


def png(colour: str) -> str:
    raw = io.BytesIO()
    Image.new("RGB", (64, 32), colour).save(raw, "png")
    return base64.b64encode(raw.getvalue()).decode()


def assert_pdf(printed: bytes, figures: int, formulas: int) -> None:
    """It holds so many pictures, and curves enough for the letters of so many formulas."""
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Subtype\s*/Image", printed)) >= figures
    streams = re.findall(rb"stream\r?\n(.*?)endstream", printed, re.S)
    drawn = 0
    for stream in streams:
        try:
            drawn += len(re.findall(rb"[\d.]+ c\n", zlib.decompress(stream)))
        except zlib.error:
            continue
    assert drawn > 10 * formulas
