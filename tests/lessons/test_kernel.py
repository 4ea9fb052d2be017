"""The grader where readers meet it, in the kernel of a notebook: it goes on, and can be stopped."""

import os
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from lesson_tools import execution, outputs, printed
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.lessons

ANSWER = """
import time
from armlab import check

def relu_backward(dy, x):
    {line}
    return dy * (x > 0)

check.exercise("relu_backward", relu_backward)
"""


def test_answers_that_would_end_or_hold_a_kernel_are_told(tmp_path: Path) -> None:
    lines = ["while True: pass", "exit()", "quit()", "raise SystemExit", "print(x.shape)"]
    book = new_notebook(cells=[new_code_cell(ANSWER.format(line=line)) for line in lines])
    execution.execute(book, tmp_path, 120, IPYTHONDIR=str(tmp_path / "ipython"))
    assert not [out for out in outputs(book.cells) if out.output_type == "error"]
    endless, *exits, right = (printed([cell]) for cell in book.cells)
    assert "it does not end on this example: it was at `while True: pass`" in endless
    assert all("it called exit(), which ends Python, at `" in text for text in exits)
    assert right == "(1, 1, 1, 1)\n✓ relu_backward: right on 50 examples\n"


def test_the_reader_can_interrupt_an_answer(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    line = f"open({str(begun)!r}, 'w').close(); time.sleep(1000)"
    home = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
    manager, client = start_new_kernel(cwd=str(tmp_path), env=home)
    try:
        asked = client.execute(ANSWER.format(line=line))
        until = time.monotonic() + 120
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.05)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=60)
        assert reply["parent_header"]["msg_id"] == asked
        assert reply["content"].get("ename") == "KeyboardInterrupt"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
