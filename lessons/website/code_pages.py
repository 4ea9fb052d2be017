"""The pages of the code: one for each file of both sides, and for each that a lesson links to.

A page names the lessons that teach its file, and the file's twin; then come the docstrings and the
source. The lessons are found from their links: the row "Explains" says what a lesson teaches.
"""

import ast
import re
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path, PurePosixPath

import nbformat

ROOT = Path(__file__).resolve().parents[2]
SIDES = {"armlab/hand": "By hand", "armlab/torch": "In PyTorch"}
OTHERS = "others"
ENTRIES = [*(f"{title} </{side}/__init__.py>" for side, title in SIDES.items()), OTHERS]
LINK = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]+)\)")  # from a lesson to a file of the repository

Books = dict[str, nbformat.NotebookNode]  # by stem


def linked(book: nbformat.NotebookNode, row: str = "") -> set[str]:
    """The files that a notebook links to, in its lines that hold `row`."""
    lines = (line for cell in book.cells for line in cell.source.splitlines() if row in line)
    return {file for line in lines for _, file in LINK.findall(line)}


def write_code(books: Books, folder: Path) -> None:
    """Write the pages of the code, and one that leads to those outside of both sides."""
    files = set().union(*(linked(book) for book in books.values()))
    for side in SIDES:
        files |= {path.relative_to(ROOT).as_posix() for path in (ROOT / side).rglob("*.py")}
    for file in sorted(files):
        page = folder / f"{file}.rst"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(page_of(file, files, books, page.parent)), encoding="utf-8")
    roots = {f"{side}/__init__.py" for side in SIDES}
    text = heading("Other files") + listed(f for f in files - roots if not above(f, files))
    (folder / f"{OTHERS}.rst").write_text(text, encoding="utf-8")


def page_of(file: str, files: set[str], books: Books, folder: Path) -> Iterator[str]:
    """The lines of a file's page, which lies in `folder`."""
    side, twin = twin_of(file)
    kin = {file, twin} & files
    teach = [s for s, book in books.items() if kin & linked(book, "| Explains |")]
    use = [s for s, book in books.items() if file in linked(book) and s not in ("index", *teach)]
    yield f":orphan:\n\n{heading(name(file))}"
    for words, pages in ("Taught in", teach), ("Named in", use):
        if pages:
            yield f"{words} {', '.join(f':doc:`/{page}`' for page in pages)}.\n"
    if twin in files:
        yield f"{side}: :doc:`/{twin}`.\n"
    if package := above(file, files):
        yield f"Part of :doc:`/{package}`.\n"
    if file.startswith("armlab/") and file.endswith(".py"):
        yield f".. automodule:: {name(file)}\n"
    yield listed(f for f in files if above(f, files) == file)
    language = "python" if file.endswith(".py") else "none"
    yield f"{heading('Source', '-')}.. literalinclude:: {relpath(ROOT / file, folder)}"
    yield f"   :language: {language}\n"


def twin_of(file: str) -> tuple[str, str]:
    """The other side's title, and the file of the same name there; empty for a file of neither."""
    for side, other in (SIDES, reversed(SIDES)):
        if file.startswith(f"{side}/"):
            return SIDES[other], file.replace(side, other, 1)
    return "", ""


def heading(text: str, mark: str = "=") -> str:
    return f"{text}\n{mark * len(text)}\n\n"


def name(file: str) -> str:
    """What a file is called: as a module, where it is one."""
    if not file.startswith("armlab/") or not file.endswith(".py"):
        return file
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def above(file: str, files: set[str]) -> str | None:
    """The package that a file is part of, where it has a page."""
    packages = (f"{folder}/__init__.py" for folder in PurePosixPath(file).parents)
    return next((p for p in packages if p in files and p != file), None)


def listed(files: Iterator[str]) -> str:
    """A list that leads to these files, with what each says of itself."""
    return "".join(f"- :doc:`/{file}`{about(file)}\n" for file in sorted(files)) + "\n"


def about(file: str) -> str:
    """The first sentence of a module."""
    if not file.endswith(".py"):
        return ""
    text = ast.get_docstring(ast.parse((ROOT / file).read_text(encoding="utf-8"))) or ""
    return " · " + re.sub(r"([*`|_\\])", r"\\\1", text.split("\n")[0])
