"""Sphinx and MathJax make the pages, and Chromium prints them."""

import shutil
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from website import folder
from website.code_pages import Books

HERE = Path(__file__).resolve().parent
PACKAGES = {"sphinx": "Sphinx", "myst_nb": "myst-nb", "furo": "furo", "mathjax": "MathJax"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PRINT = (
    "--headless=new",
    "--no-sandbox",  # root has none, and the page is our own
    "--disable-gpu",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
    "--virtual-time-budget=600000",  # ms, by whose end all formulas are drawn
)
SECONDS = 600  # that printing may take


def expect_packages() -> None:
    """Raise RuntimeError that names a missing package, before lessons run for minutes."""
    for module, package in PACKAGES.items():
        if not find_spec(module):
            raise RuntimeError(
                f"{package} is not installed, so there can be no pages: install it with  "
                "pip install 'armlab[lessons]'"
            )


def build(books: Books, builder: str, out: Path, **options: bool) -> None:
    """Write the pages of these notebooks, the index first, by a builder of Sphinx."""
    with TemporaryDirectory() as temporary:
        sources, pages = Path(temporary, "sources"), Path(temporary, "pages")
        folder.write(books, sources, **options)
        sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-b", builder]
        where = ["-c", str(HERE), "-d", f"{temporary}/doctrees", str(sources), str(pages)]
        if subprocess.run([*sphinx, *where]).returncode:
            raise RuntimeError("Sphinx stopped at what stands above")
        mathjax, there = files("mathjax") / "static" / "mathjax", pages / "_static" / "mathjax"
        there.mkdir()
        for name in ("es5/tex-svg.js", "LICENSE"):  # one script that draws without a font
            shutil.copyfile(str(mathjax / name), there / Path(name).name)
        shutil.copytree(pages, out, dirs_exist_ok=True)


def print_pdf(books: Books, out: Path) -> None:
    """Print these notebooks into one PDF. Raises RuntimeError where no Chromium can."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise RuntimeError("found no Chromium to print with: install it, as chromium of Debian is")
    with TemporaryDirectory() as temporary:
        build(books, "singlehtml", Path(temporary))
        to = [f"--user-data-dir={temporary}/profile", f"--print-to-pdf={out.resolve()}"]
        page = Path(temporary, "index.html").as_uri()
        try:
            subprocess.run(
                [browser, *PRINT, *to, page], capture_output=True, check=True, timeout=SECONDS
            )
        except subprocess.SubprocessError as error:
            raise RuntimeError(f"{browser} did not print the lessons: {error}") from None
