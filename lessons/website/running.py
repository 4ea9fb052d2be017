"""Run a lesson for a reader who has no kernel.

The solutions stand in the place of the stubs while it runs, so that each check has something to
judge; the page shows the stub, which is the question. Pictures get their words, and sliders their
frames, by what in_kernel does before the first cell. Other widgets, dead here, are left out.
"""

from pathlib import Path

import nbformat
from execution import execute
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat.v4 import new_code_cell
from notebooks import SOLUTION

WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS = 120  # that one cell may take
INLINE = "module://matplotlib_inline.backend_inline"  # pictures under their cells
BEFORE = "from website import in_kernel\n\nin_kernel.prepare()"


def run(book: nbformat.NotebookNode, stem: str, folder: Path) -> None:
    """Fill in the outputs of a notebook. Raises RuntimeError that names the lesson and the error."""
    stubs = {at: cell.source for at, cell in enumerate(book.cells) if tagged(cell, "exercise")}
    for at in stubs:
        book.cells[at].source = SOLUTION.search(book.cells[at + 1].source)[1]
    book.cells.insert(0, new_code_cell(BEFORE))
    try:
        execute(book, folder, SECONDS, MPLBACKEND=INLINE)
    except CellExecutionError as error:
        raise RuntimeError(f"{stem} stopped at {error.ename}: {error.evalue}") from None
    except CellTimeoutError:
        raise RuntimeError(
            f"{stem} stopped: a cell took more than {SECONDS} s. Close what else keeps the "
            f"machine busy, or raise SECONDS in {Path(__file__).name}"
        ) from None
    del book.cells[0]
    book.metadata.pop("widgets", None)
    for at, stub in stubs.items():
        book.cells[at].source = stub
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if WIDGET not in out.get("data", {})]


def tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])
