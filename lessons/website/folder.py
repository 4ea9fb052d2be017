"""The folder that Sphinx reads: the notebooks as their pages show them, and the contents."""

import re
import shutil
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

from website.code_pages import ENTRIES, LINK, Books, write_code
from website.running import tagged

FIGURES = Path(__file__).resolve().parents[1] / "figures"
CHAPTER = re.compile(r"^### ((\d+) · .+)$", re.M)  # as the index heads it
STYLE = re.compile(r"<style>.*?</style>", re.S)
AS_IT_RAN = (
    "This page shows the lesson as it ran, with the solutions in the place of the stubs: each "
    "check judges the solution that stands folded above it. To write your own, open the lesson in "
    "JupyterLab with <code>make lessons</code>."
)
AS_PDF = '<a href="armlab.pdf">All lessons in one PDF</a>'
NOTES = {  # what a reader without a kernel is told, by the tag of a cell
    "exercise": "Yours to write:",
    "check": "What the check says of the solution:",
}


def write(books: Books, folder: Path, code: bool = False, pdf: bool = False) -> None:
    """Write what Sphinx reads of notebooks, the index first.

    code  with the pages of the code, to which the links of the lessons lead; else they have none
    pdf   with a link to armlab.pdf beside the pages
    """
    shutil.copytree(FIGURES, folder / FIGURES.name)
    for stem, book in books.items():
        page = prepared(book, r"[\1](/\2.rst)" if code else r"\1")
        said = AS_IT_RAN if stem != "index" else AS_PDF if pdf else ""
        title, _, rest = page.cells[0].source.partition("\n")
        page.cells[0].source = f"{title}\n\n{note(said)}\n{rest}"
        if stem == "index":
            page.cells.append(new_markdown_cell("\n\n".join(contents(books, code))))
        nbformat.write(page, folder / f"{stem}.ipynb")
    if code:
        write_code(books, folder)


def prepared(book: nbformat.NotebookNode, link: str) -> nbformat.NotebookNode:
    """A copy with its notes, links to files as they hold here, and code in the site's colours."""
    book, cells = deepcopy(book), []
    for cell in book.cells:
        cells += [new_markdown_cell(note(NOTES[tag])) for tag in NOTES if tagged(cell, tag)]
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(link, cell.source)
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get("text/html", "")
            if 'class="highlight"' in shown:  # it brings colours of its own, for light pages only
                output.data["text/html"] = STYLE.sub("", shown)
    book.cells = cells
    return book


def note(text: str) -> str:
    return f'<p class="note">{text}</p>' if text else ""


def contents(books: Books, code: bool) -> Iterator[str]:
    """The contents tree, by chapter as the index has them; what has no number stands first."""
    index, *stems = books
    said = "\n".join(cell.source for cell in books[index].cells)
    chapters = {number.zfill(2): title for title, number in CHAPTER.findall(said)}
    for start, lessons in groupby(stems, lambda stem: stem[:2] if stem[:2].isdigit() else ""):
        yield tree(lessons, chapters.get(start, start))
    if code:
        yield tree(ENTRIES, "The code")


def tree(pages: Iterable[str], caption: str) -> str:
    """Pages in the contents at the side."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else []), ""]
    return "\n".join(["```{toctree}", *options, *pages, "```"])
