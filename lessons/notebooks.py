"""Write the notebooks from their sources: python lessons/notebooks.py, or --check to compare.

Each lesson's source, such as 04b_arm.py, and index.py become an .ipynb beside them: no outputs, cell
ids from the position, so the same source always gives the same bytes.
"""

import re
import sys
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SOLUTION = re.compile(  # of an exercise, in the cell behind its stub
    r"<details><summary>Solution</summary>\n\n```python\n(.*?)```\n.*</details>", re.S
)


def sources() -> list[Path]:
    """The reviewed sources: the index, the evening, and the lessons of each chapter in order."""
    first = [HERE / "index.py", HERE / "arm_in_one_evening.py"]
    return [*first, *sorted(HERE.glob("[0-9][0-9][a-z]_*.py"))]


def notebook(source: Path) -> nbformat.NotebookNode:
    """The notebook that a source stands for."""
    book = jupytext.read(source, fmt="py:percent")
    book.metadata = nbformat.from_dict(METADATA)
    book.nbformat, book.nbformat_minor = 4, 5
    for position, cell in enumerate(book.cells):
        cell.id = f"{source.stem[:40]}-{position:03d}"
    nbformat.validate(book)
    return book


def text(source: Path) -> str:
    """The .ipynb of a source, to the byte."""
    return nbformat.writes(notebook(source), ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python lessons/notebooks.py [--check]", file=sys.stderr)
        return 2
    stale = []
    for source in sources():
        target, wanted = source.with_suffix(".ipynb"), text(source)
        if not target.exists() or target.read_text(encoding="utf-8") != wanted:
            stale.append(target.name)
            if not arguments:
                target.write_text(wanted, encoding="utf-8")
    if arguments and stale:
        print(f"out of date: {', '.join(stale)}. Run  make notebooks", file=sys.stderr)
        return 1
    print(f"written: {', '.join(stale)}" if stale else "all notebooks are up to date")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
