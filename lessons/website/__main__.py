"""Run the lessons and write them as pages: from lessons/, python -m website [LESSON ...].

`make site` calls it. Lessons that are not named stand in the site as well, but without outputs.
Where all are run, armlab.pdf holds them too.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from notebooks import HERE, notebook, sources

from website import building, running

STEMS = [source.stem for source in sources()]
PDF = "armlab.pdf"


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m website", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="which to run (all)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "site", help="folder (site)")
    chosen = parser.parse_args(arguments)
    chosen.lessons = chosen.lessons or STEMS
    if unknown := sorted(set(chosen.lessons) - set(STEMS)):
        parser.error(f"no lesson {unknown[0]!r}: choose from {', '.join(STEMS)}")
    return chosen


def ready(stem: str, run: bool) -> nbformat.NotebookNode:
    """The notebook of a lesson as its page shows it."""
    book, start = notebook(HERE / f"{stem}.py"), time.monotonic()
    if run and any(cell.cell_type == "code" for cell in book.cells):
        running.run(book, stem, HERE)
        print(f"{stem}: ran in {time.monotonic() - start:.0f} s", file=sys.stderr)
    return book


def printed(books: building.Books, out: Path) -> bool:
    """Whether there is a PDF of the lessons now; if not, one line says why."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        building.print_pdf(books, out / PDF)
    except RuntimeError as error:
        print(f"no {PDF}: {error}", file=sys.stderr)
        return False
    return True


def main(arguments: list[str]) -> int:
    chosen = parsed(arguments)
    try:
        building.expect_packages()  # first, as the lessons take minutes
        books = {stem: ready(stem, stem in chosen.lessons) for stem in STEMS}
        pdf = set(chosen.lessons) == set(STEMS) and printed(books, chosen.out)
        building.build(books, "html", chosen.out, code=True, pdf=pdf)
    except (RuntimeError, OSError) as error:
        print(f"website: {error}", file=sys.stderr)
        return 1
    print(chosen.out / "index.html")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
