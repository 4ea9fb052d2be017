"""The static site of the lessons: built for one lesson that has run, read without a network."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from chromium import BROWSER, chromium
from lesson_tools import BOOKS, LESSONS, TAUGHT, exercises
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_notebook

RAN = "00_arrays_shapes_and_the_check"

TYPESET = """
const done = arguments[arguments.length - 1];
MathJax.startup.promise.then(() => {
    const text = document.querySelector('main').cloneNode(true);
    text.querySelectorAll('code, pre, mjx-container').forEach(node => node.remove());
    const drawn = [...document.querySelectorAll('mjx-container svg')];
    done({
        drawn: drawn.length,
        empty: drawn.filter(svg => !svg.querySelector('path, use, rect, text')).length,
        wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
        text: text.textContent,
    });
});
"""


def built(out: Path, *lessons: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "website", "--out", str(out), *lessons]
    return subprocess.run(command, cwd=LESSONS, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = built(out, RAN)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out / 'index.html'}\n"
    assert "Traceback" not in done.stderr
    return out


def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


# -- as files ---------------------------------------------------------------------------------


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(LESSONS))
    return importlib.import_module("website.running")


def test_lesson_with_a_slow_cell_stops_with_a_sentence(
    running: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def execute(*_: Any, **__: Any) -> None:
        raise CellTimeoutError("no answer")

    monkeypatch.setattr(running, "execute", execute)
    with pytest.raises(RuntimeError, match=r"^05_arm stopped: a cell took more than 120 s"):
        running.run(new_notebook(), "05_arm", tmp_path)


def test_unknown_lesson_is_wrong_usage(tmp_path: Path) -> None:
    done = built(tmp_path, "99_nothing")
    assert done.returncode == 2
    assert "no lesson '99_nothing': choose from index, arm_in_one_evening, 00_" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.lessons
def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    anchors = {page: {tag["id"] for tag in soup(page).select("[id]")} for page in pages(site)}
    followed = 0
    for page in pages(site):
        for tag in soup(page).select("[href], [src]"):
            link = urlsplit(str(tag.get("href") or tag.get("src")))
            if link.scheme in ("data", "https") and (tag.name == "a" or link.scheme == "data"):
                continue
            assert not link.scheme, f"{page.name} asks for {link.geturl()}"
            there = (page.parent / unquote(link.path)).resolve() if link.path else page
            assert there.is_file(), f"{page.name} leads to {link.path}, which is not there"
            assert not link.fragment or unquote(link.fragment) in anchors[there]
            followed += 1
    assert followed > 50


@pytest.mark.lessons
@pytest.mark.parametrize("lesson", BOOKS)
def test_contents_reach_every_lesson_and_every_section(lesson: str, site: Path) -> None:
    page = soup(site / f"{lesson}.html")
    links = [str(a["href"]) for a in page.select("nav a")]
    assert [link for link in links if not link.startswith("#")] == [f"{s}.html" for s in BOOKS]
    sections = page.select("main h2")
    assert sections
    assert [link for link in links if link.startswith("#")] == [f"#{h['id']}" for h in sections]
    at = list(BOOKS).index(lesson)
    beside = {list(BOOKS)[i] for i in (at - 1, at + 1) if 0 <= i < len(BOOKS)}
    assert {str(a["href"]) for a in page.select("footer a")} == {f"{s}.html" for s in beside}


@pytest.mark.lessons
def test_lesson_that_ran_reads_whole(site: Path) -> None:
    page = soup(site / f"{RAN}.html")
    assert len(page.select(".output_png img")) >= 5
    checks = [cell.select_one(".output").get_text() for cell in page.select(".celltag_check")]
    asked = exercises(RAN)
    for one, text in zip(asked, checks, strict=True):
        assert text.strip().startswith(f"✓ {one.name}")
    stubs = [cell.select_one(".input").get_text() for cell in page.select(".celltag_exercise")]
    assert all("raise NotImplementedError" in stub for stub in stubs)
    assert len(page.select("details summary")) == len(asked) + 5
    assert all(len(fold.get_text()) > 40 for fold in page.select("details"))
    assert not page.select(".output_stderr, .output_error, script[type*=widget]")


# -- in a browser without a network -----------------------------------------------------------


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    log = {"performance": "ALL"}
    with chromium(tmp_path_factory.mktemp("profile"), offline, goog_loggingPrefs=log) as browser:
        yield browser


def requested(reader: Any) -> list[str]:
    """What the page asked for since the last question."""
    events = [json.loads(entry["message"])["message"] for entry in reader.get_log("performance")]
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent]


@pytest.mark.parametrize("lesson", [pytest.param(s, marks=BROWSER) for s in BOOKS])
def test_page_needs_nothing_from_elsewhere(lesson: str, site: Path, reader: Any) -> None:
    requested(reader)  # what the browser opened with
    reader.get((site / f"{lesson}.html").as_uri())
    found = reader.execute_async_script(TYPESET)
    assert lesson == "index" or found["drawn"] > 20
    assert not found["empty"]
    assert not found["wrong"]
    assert "$" not in found["text"]
    assert "\\" not in found["text"]
    urls = requested(reader)
    assert urls
    assert {urlsplit(url).scheme for url in urls} <= {"file", "data", "chrome"}  # its own pages


@pytest.mark.parametrize("lesson", [pytest.param(RAN, marks=BROWSER)])
def test_solution_unfolds_and_next_leads_on(lesson: str, site: Path, reader: Any) -> None:
    from selenium.webdriver.common.by import By

    reader.get((site / f"{lesson}.html").as_uri())
    reader.execute_async_script(TYPESET)
    folded = reader.find_element(By.CSS_SELECTOR, "details")
    code = folded.find_element(By.CSS_SELECTOR, "pre")
    assert not code.is_displayed()
    folded.find_element(By.CSS_SELECTOR, "summary").click()
    assert code.is_displayed()
    reader.find_element(By.CSS_SELECTOR, 'footer a[rel="next"]').click()
    assert reader.current_url.endswith(f"/{TAUGHT[TAUGHT.index(lesson) + 1]}.html")
    reader.execute_script("document.querySelector('nav a[href*=\"#\"]').click()")
    assert reader.current_url.endswith("#section-1")
