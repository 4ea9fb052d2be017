"""One notebook as a page: its HTML, its sections, and what its links lead to."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import normpath

import nbformat
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter

AS_IT_RAN = (
    "This page shows the lesson as it ran, with the solutions in the place of the stubs: each "
    "check judges the solution that stands folded above it. To write your own, and to move the "
    "slider, open the lesson in JupyterLab with <code>make lessons</code>."
)
NOTES = {  # what a reader without a kernel is told, by the tag of a cell
    "exercise": "Yours to write:",
    "check": "What the check says of the solution:",
    "widget": "In JupyterLab a slider stands here. The picture above is what it draws.",
}


@dataclass
class Page:
    """A page of the site.

    title     its first heading
    body      HTML with links that hold within the site
    sections  (id, text) of each second-level heading
    sources   the files of the repository that it links to
    images    the files that it shows, as paths from lessons/
    """

    stem: str
    title: str = ""
    body: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)


def page(stem: str, book: nbformat.NotebookNode) -> Page:
    """The page of a notebook."""
    for cell in book.cells:
        if "ipywidgets.interact" in cell.source:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "widget"]
    bare = {"exclude_input_prompt": True, "exclude_output_prompt": True}
    html, _ = HTMLExporter(template_name="basic", **bare).from_notebook_node(book)
    soup, made = BeautifulSoup(html, "html.parser"), Page(stem)
    for style in soup.select(".output style"):  # shown code brings its own; the site has one
        style.decompose()
    for image in soup.select(".output_png img"):
        image["alt"] = "figure drawn by the cell above"
    made.images = {str(i["src"]) for i in soup.select("img[src]") if ":" not in str(i["src"])}
    for link in soup.select("a[href]"):
        link["href"] = target(str(link["href"]), made.sources)
    headings(soup, made)
    if stem != "index":
        notes(soup)
    made.body = str(soup)
    return made


def target(link: str, sources: set[str]) -> str:
    """Where a link of a lesson leads within the site; a file of the repository is noted."""
    if "://" in link or link.startswith("#"):
        return link
    path, hash_, anchor = link.partition("#")
    if path.endswith(".ipynb"):
        return str(PurePosixPath(path).with_suffix(".html")) + hash_ + anchor
    file = normpath(f"lessons/{path}")
    sources.add(file)
    return f"source/{file}.html"


def headings(soup: BeautifulSoup, made: Page) -> None:
    """Note the title and the sections, each with an id of its own."""
    for mark in soup.select(".anchor-link"):
        mark.decompose()
    for heading in soup.select("h1, h2"):
        text = heading.get_text()
        if heading.name == "h1":
            made.title = text
        else:
            heading["id"] = f"section-{len(made.sections) + 1}"
            made.sections.append((str(heading["id"]), text))


def notes(soup: BeautifulSoup) -> None:
    """Say beside a stub, a check and a widget what a reader of the page sees there."""
    for tag, text in NOTES.items():
        for cell in soup.select(f".celltag_{tag}"):
            place = cell.select_one(".output_wrapper" if tag == "check" else ".input")
            if place:
                note = note_of(soup, text)
                (place.insert_after if tag == "widget" else place.insert_before)(note)
    first = soup.select_one("h1")
    if first:
        first.insert_after(note_of(soup, AS_IT_RAN))


def note_of(soup: BeautifulSoup, html: str) -> Tag:
    note = soup.new_tag("p", attrs={"class": "note"})
    note.append(BeautifulSoup(html, "html.parser"))
    return note
