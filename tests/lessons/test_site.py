"""The static site of the lessons: how it is made, and what stands in its files."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from lesson_tools import BOOKS, LESSONS, TAUGHT, exercises, notebooks
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_notebook
from site_tools import RAN, Page, built

from armlab import hand

website = pytest.mark.lessons


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a part of the package that makes the site."""
    monkeypatch.syspath_prepend(str(LESSONS))
    return lambda name: importlib.import_module(f"website.{name}")


# -- how it is made ---------------------------------------------------------------------------


def test_lesson_with_a_slow_cell_stops_with_a_sentence(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def execute(*_: Any, **__: Any) -> None:
        raise CellTimeoutError("no answer")

    monkeypatch.setattr(part("running"), "execute", execute)
    with pytest.raises(RuntimeError, match=r"^the_lesson stopped: a cell took more than 120 s"):
        part("running").run(new_notebook(), "the_lesson", tmp_path)


def test_solutions_run_behind_what_prepares_the_kernel_and_stubs_are_shown(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (asked, *_) = exercises(RAN)
    ran: list[str] = []

    def execute(book: nbformat.NotebookNode, *_: Any, **__: Any) -> None:
        ran.extend(cell.source for cell in book.cells)

    monkeypatch.setattr(part("running"), "execute", execute)
    book = notebooks.notebook(LESSONS / f"{RAN}.py")
    part("running").run(book, RAN, tmp_path)
    assert "in_kernel.prepare()" in ran[0]
    assert ran[asked.at + 1] == asked.solution
    assert [cell.source for cell in book.cells] == [cell.source for cell in BOOKS[RAN].cells]


def test_unknown_lesson_is_wrong_usage(tmp_path: Path) -> None:
    done = built(tmp_path, "99_nothing")
    assert done.returncode == 2
    assert "no lesson '99_nothing': choose from index, arm_in_one_evening, 00" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_before_anything_runs(
    part: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    building = part("building")
    monkeypatch.setattr(building, "find_spec", lambda name: name != "mathjax")
    with pytest.raises(RuntimeError, match=r"^MathJax is not installed, .* 'armlab\[lessons\]'$"):
        building.expect_packages()


def test_where_no_browser_is_the_pdf_is_a_sentence(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(part("building").shutil, "which", lambda name: None)
    assert not part("__main__").printed(dict(BOOKS), tmp_path)
    assert capsys.readouterr().err == (
        "no armlab.pdf: found no Chromium to print with: install it, as chromium of Debian is\n"
    )


def test_a_link_that_leads_nowhere_stops_the_site(
    part: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = nbformat.v4.new_markdown_cell("# Contents\n\n[a lesson](that_is_not.ipynb)")
    with pytest.raises(RuntimeError, match="Sphinx stopped at what stands above"):
        part("building").build({"index": new_notebook(cells=[text])}, "html", tmp_path / "out")
    assert "that_is_not" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


# -- what stands in it ------------------------------------------------------------------------


@website
def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 150
    for path, page in pages.items():
        assert page.asked()
        for tag, address in page.asked():
            link = urlsplit(address)
            if link.scheme == "data" or (tag == "a" and link.scheme == "https"):
                continue
            assert not link.scheme, f"{path.name} asks for {address}"
            there = (path.parent / unquote(link.path)).resolve() if link.path else path
            assert there.is_file(), f"{path.name} leads to {link.path}, which is not there"
            if link.fragment and there.suffix == ".html":
                assert unquote(link.fragment) in pages[there].ids, f"{path.name}: {address}"


@website
@pytest.mark.parametrize("lesson", BOOKS)
def test_contents_lead_from_lesson_to_lesson(lesson: str, site: Path) -> None:
    page = Page(site / f"{lesson}.html").soup
    links = [str(a["href"]) for a in page.select(".sidebar-tree a")]
    here = [link if link != "#" else f"{lesson}.html" for link in links]
    assert [link for link in here if "/" not in link][: len(TAUGHT)] == [
        f"{s}.html" for s in TAUGHT
    ]
    said = "\n".join(cell.source for cell in BOOKS["index"].cells)
    chapters = [line.removeprefix("### ") for line in said.splitlines() if line.startswith("### ")]
    numbers = {stem[:2] for stem in TAUGHT if stem[:2].isdigit()}
    assert len(chapters) == len(numbers)
    assert [c.get_text() for c in page.select(".sidebar-tree .caption")] == [*chapters, "The code"]
    at = list(BOOKS).index(lesson)
    for which, other in (("prev", at - 1), ("next", at + 1)):
        if 0 <= other < len(BOOKS):
            assert page.select_one(f"a.{which}-page")["href"] == f"{list(BOOKS)[other]}.html"


@website
def test_lesson_that_ran_reads_whole(site: Path) -> None:
    page = Page(site / f"{RAN}.html").soup
    pictures = page.select(".cell_output img")
    assert len(pictures) >= 5
    assert all(len(str(img["alt"])) > 20 for img in pictures)
    assert page.select(".cell_output input[type=range]")
    checks = [cell.select_one(".cell_output").get_text() for cell in page.select(".tag_check")]
    asked = exercises(RAN)
    for one, text in zip(asked, checks, strict=True):
        assert text.strip().startswith(f"✓ {one.name}")
    stubs = [cell.select_one(".cell_input").get_text() for cell in page.select(".tag_exercise")]
    assert len(stubs) == len(asked)
    assert all("raise NotImplementedError" in stub for stub in stubs)
    folds = page.select("details")
    assert len(folds) == sum(cell.source.count("<details>") for cell in BOOKS[RAN].cells)
    assert all(len(fold.get_text()) > 40 and not fold.has_attr("open") for fold in folds)
    notes = [note.get_text() for note in page.select("p.note")]
    assert notes[1:] == ["Yours to write:", "What the check says of the solution:"] * len(asked)
    assert not page.select(".stderr, .traceback, script[type*=widget]")


@website
@pytest.mark.parametrize("lesson", TAUGHT)
def test_lesson_and_the_pages_of_what_it_explains_lead_to_each_other(
    lesson: str, site: Path
) -> None:
    (row,) = [
        row for row in Page(site / f"{lesson}.html").soup.select("tr") if "Explains" in str(row)
    ]
    explained = [site / str(a["href"]) for a in row.select("a")]
    assert explained
    for path in explained:
        assert site / f"{lesson}.html" in Page(path).taught_in(), f"{path} does not name {lesson}"


@website
def test_page_names_no_lesson_that_does_not_explain_it(site: Path) -> None:
    explained = {
        stem
        for stem, book in BOOKS.items()
        for cell in book.cells
        for line in cell.source.splitlines()
        if "Explains" in line and "/resnet18.py" in line
    }
    page = Page(site / "armlab" / "hand" / "resnet18.py.html")
    assert {path.stem for path in page.taught_in()} == explained


@website
@pytest.mark.parametrize("name", ["hand", "torch"])
def test_docstrings_stand_on_their_pages_as_they_are_written(name: str, site: Path) -> None:
    side = hand if name == "hand" else importlib.import_module("armlab.torch")
    pages: dict[str, str] = {}
    seen = 0
    for public in side.__all__:
        thing = getattr(side, public)
        module = getattr(thing, "__module__", "")
        if not module.startswith(f"armlab.{name}.") or not inspect.getdoc(thing):
            continue
        path = site / (module.replace(".", "/") + ".py.html")
        text = pages.setdefault(
            module, "".join(pre.get_text() for pre in Page(path).soup.select(".docstring pre"))
        )
        assert inspect.getdoc(thing).rstrip() in text, f"{public} of {module}"
        assert ast_doc(module) in text
        seen += 1
    assert seen > 20


def ast_doc(module: str) -> str:
    return inspect.getdoc(sys.modules[module]).rstrip()
