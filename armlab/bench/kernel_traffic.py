"""How often each CUDA kernel reads and writes a number, counted on the emulated device.

    python -m armlab.bench.kernel_traffic

The floor is once: each number that a kernel needs, and each that it makes. What a thread has just
read is in a register and not counted again. What it reads later, or another thread, is counted,
though it may come from a cache, of which the emulated device knows nothing. Pages are compiled with
a `real` that counts: indices and labels, which are integers, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from typing import Any
from unittest.mock import patch

from armlab import emulator
from armlab.bench.kernel_calls import Size, asked, of_state
from armlab.hand.kernels import cuda
from armlab.places import place
from armlab.terminal import at_terminal

SIZE = (2, 8, 48, 50)  # a channel has more values than a block sums


@dataclass
class Traffic:
    """Of all launches of one kernel together: see `emulator.Touched`."""

    totals: list[int] = field(default_factory=lambda: [0] * 4)

    def add(self, touched: emulator.Touched) -> None:
        self.totals = [a + b for a, b in zip(self.totals, astuple(touched), strict=True)]

    @property
    def reads(self) -> float:
        """Of each number that is read."""
        return self.totals[0] / max(self.totals[1], 1)

    @property
    def writes(self) -> float:
        """Of each number that is written."""
        return self.totals[2] / max(self.totals[3], 1)


def counted(size: Size = SIZE) -> dict[tuple[str, str], Traffic]:
    """By page and kernel, over one call of each row of the table, forward and backward."""
    with counting() as found:
        where = place("emulated")
        for call in [call for row in asked(where, size) for call in row.parts()]:
            call.run()
        for call in of_state(where, size):
            call.run()
    return dict(sorted(found.items()))


@contextmanager
def counting() -> Iterator[dict[tuple[str, str], Traffic]]:
    """Within this block the pages count, and the dict has what each of their kernels touched."""
    found: dict[tuple[str, str], Traffic] = defaultdict(Traffic)
    launch_blocks = cuda.launch_blocks

    def launch(page: str, kernel: str, *rest: Any) -> None:
        emulator.touched()
        launch_blocks(page, kernel, *rest)
        found[page, kernel].add(emulator.touched())

    def options(dtype: str) -> tuple[str, ...]:
        return "-std=c++17", f"-Dreal=emulated::Counted<{cuda.REAL[dtype]}>"

    cuda.forget()
    try:
        with patch.object(cuda, "launch_blocks", launch), patch.object(cuda, "options", options):
            yield found
    finally:
        cuda.forget()


def as_markdown(found: dict[tuple[str, str], Traffic]) -> str:
    """The table of cuda/README.md."""
    lines = ["| page | kernel | reads of a number | writes of a number |", "|---|---|--:|--:|"]
    for (page, kernel), t in found.items():
        lines.append(f"| [{page}.cu]({page}.cu) | {kernel} | {t.reads:.1f} | {t.writes:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    with at_terminal():
        print(as_markdown(counted()))
