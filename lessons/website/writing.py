"""Write the site: lessons, the sources that they link to, one style sheet, MathJax."""

import html
import shutil
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import jinja2
import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from website.page import Page, page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHELL = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
)


def write(books: dict[str, nbformat.NotebookNode], out: Path) -> None:
    """Write the pages of these notebooks, in their order, and all that they need but MathJax."""
    pages = [page(stem, book) for stem, book in books.items()]
    style = (HERE / "style.css").read_text(encoding="utf-8") + HtmlFormatter().get_style_defs(
        ".highlight"
    )
    (out / "style.css").write_text(style, encoding="utf-8")
    for at, one in enumerate(pages):
        before, after = at and pages[at - 1], pages[at + 1 :][:1]
        text = SHELL.get_template("page.html.j2").render(
            page=one, pages=pages, before=before, after=after and after[0], up="", mathematics=True
        )
        (out / f"{one.stem}.html").write_text(text, encoding="utf-8")
    for image in set().union(*(one.images for one in pages)):
        (out / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "lessons" / image, out / image)
    for file in sorted(set().union(*(one.sources for one in pages))):
        write_source(file, pages, out)


def write_source(file: str, pages: list[Page], out: Path) -> None:
    """A file of the repository as a page, its lines numbered."""
    made = out / "source" / f"{file}.html"
    made.parent.mkdir(parents=True, exist_ok=True)
    text = (ROOT / file).read_text(encoding="utf-8")
    try:
        lexer = get_lexer_for_filename(file)
    except ClassNotFound:
        lexer = get_lexer_for_filename("plain.txt")
    lines = highlight(text, lexer, HtmlFormatter(linenos="inline"))
    one = Page(file, title=file, body=f"<h1>{html.escape(file)}</h1>{lines}")
    made.write_text(
        SHELL.get_template("page.html.j2").render(
            page=one, pages=pages, before=None, after=None,
            up="../" * (file.count("/") + 1), mathematics=False,
        ),
        encoding="utf-8",
    )  # fmt: skip


def copy_mathjax(out: Path) -> None:
    """MathJax, one script that draws without a font or a network, and its licence."""
    if not find_spec("mathjax"):
        raise RuntimeError(
            "MathJax is not installed, so no formula could be drawn offline: install it with  "
            "pip install 'armlab[lessons]'"
        )
    there = files("mathjax") / "static" / "mathjax"
    (out / "mathjax").mkdir(parents=True, exist_ok=True)
    for name in ("es5/tex-svg.js", "LICENSE"):
        shutil.copyfile(str(there / name), out / "mathjax" / Path(name).name)
