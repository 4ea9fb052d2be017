"""What the CUDA kernels of `armlab.hand.kernels.cuda` need of a card, from its real compiler.

NVRTC compiles without a driver and says how many registers a thread has, how much shared memory a
block has, and what did not fit into registers. Its PTX shows the divisions of integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from armlab.bench.nvrtc import Compiled, compiled
from armlab.bench.ptx_divisions import divisions
from armlab.hand.kernels import cuda
from armlab.terminal import at_terminal

ARCHITECTURES = (75, 80, 90, 100)  # Turing, Ampere, Hopper, Blackwell
KERNEL = re.compile(r"Compiling entry function '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


@dataclass(frozen=True)
class Resources:
    """What one kernel needs on one architecture.

    registers  of a thread, of at most 255
    shared     bytes of a block's `__shared__` variables
    stack      bytes of a thread in local memory, which is slow
    spilled    bytes stored there and loaded, as they did not fit into registers
    divisions  and remainders of integers, see `ptx_divisions`
    in_loops   so many of them stand in a loop
    """

    page: str
    kernel: str
    dtype: str
    architecture: int
    registers: int
    shared: int
    stack: int
    spilled: int
    divisions: int
    in_loops: int


def pages() -> list[str]:
    """The names of all pages."""
    return sorted(path.stem for path in cuda.HERE.glob("*.cu"))


def resources(architectures: Sequence[int] = ARCHITECTURES) -> list[Resources]:
    """Of all kernels, in float32 and float64. RuntimeError where one does not compile."""
    asked = [*product(pages(), cuda.REAL, architectures)]
    every = zip(asked, compiled(asked), strict=True)
    return [found for page, made in every for found in _read(*page, made)]


def as_markdown(rows: Sequence[Resources]) -> str:
    """A line for each kernel: float32 / float64, the most that any architecture needs."""
    lines = [
        "| page | kernel | registers | shared bytes | spilled bytes "
        "| integer divisions | in a loop |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for page, kernel in dict.fromkeys((row.page, row.kernel) for row in rows):
        of = [row for row in rows if (row.page, row.kernel) == (page, kernel)]
        cells = (
            " / ".join(str(max(getattr(r, name) for r in of if r.dtype == d)) for d in cuda.REAL)
            for name in ("registers", "shared", "spilled", "divisions", "in_loops")
        )
        lines.append(f"| [{page}.cu]({page}.cu) | {kernel} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _read(page: str, dtype: str, architecture: int, made: Compiled) -> Iterator[Resources]:
    """One for each kernel of a page."""
    divided = {name: counts for name, *counts in divisions(made.ptx)}
    for part in made.log.split("ptxas info    : Compiling entry")[1:]:
        name, stack, used = (p.search("Compiling entry" + part) for p in (KERNEL, STACK, USED))
        assert name
        assert stack
        assert used
        frame, stores, loads = map(int, stack.groups())
        numbers = int(used[1]), int(used[2] or 0), frame, stores + loads, *divided[name[1]]
        yield Resources(page, name[1], dtype, architecture, *numbers)


if __name__ == "__main__":
    with at_terminal():
        print(as_markdown(resources()))
