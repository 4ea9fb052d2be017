"""Run a lesson for a reader who has no kernel.

The solutions stand in the place of the stubs while it runs, so that each check has something to
judge; the page shows the stub, which is the question. Widgets, dead without a kernel, are left out.
"""

import os
from pathlib import Path

import nbclient
import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from notebooks import SOLUTION

WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS = 120  # that one cell may take
TRIES = 3  # now and then a kernel is done with a cell and its answer never arrives
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # pictures under their cells


def run(book: nbformat.NotebookNode, stem: str, folder: Path) -> None:
    """Fill in the outputs of a notebook. Raises RuntimeError that names the lesson and the error."""
    stubs = {at: cell.source for at, cell in enumerate(book.cells) if tagged(cell, "exercise")}
    for at in stubs:
        book.cells[at].source = SOLUTION.search(book.cells[at + 1].source)[1]
    for _ in range(TRIES):
        try:
            _execute(book, folder)
        except CellTimeoutError:
            continue  # on a kernel of its own again
        except CellExecutionError as error:
            raise RuntimeError(f"{stem} stopped at {error.ename}: {error.evalue}") from None
        break
    else:
        raise RuntimeError(
            f"{stem} stopped: a cell took more than {SECONDS} s, {TRIES} times. Close what else "
            f"keeps the machine busy, or raise SECONDS in {Path(__file__).name}"
        )
    book.metadata.pop("widgets", None)
    for at, stub in stubs.items():
        book.cells[at].source = stub
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if WIDGET not in out.get("data", {})]


def _execute(book: nbformat.NotebookNode, folder: Path) -> None:
    """All cells on a kernel of its own."""
    client = nbclient.NotebookClient(
        book,
        timeout=SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=os.environ | INLINE)


def tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])
