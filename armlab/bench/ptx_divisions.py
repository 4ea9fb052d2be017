"""Divisions of integers in PTX, and which of them stand in a loop.

No card divides integers: each division becomes 25 to 70 instructions where it has 64 bits, in the
time of which a thread could read and write several numbers. One before a loop, which finds where a
thread begins, costs that once; one in a loop costs it for each number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ENTRY = re.compile(r"\.entry (\w+)")
DIVISION = re.compile(r"^(?:@!?%p\d+ )?(?:div|rem)\.[su](?:64|32)\b")
LABEL = re.compile(r"^(\$L\w+):")
BRANCH = re.compile(r"\bbra(?:\.uni)?\s+(\$L\w+);")


def divisions(ptx: str) -> Iterator[tuple[str, int, int]]:
    """Of each kernel its name, how many divisions and remainders it has, and how many in a loop.

    What a division of 64 bits is given may fit into 32, so most stand there in both forms. A loop
    is what stands between a label and a branch back to it.
    """
    _, *parts = ENTRY.split(ptx)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        lines = [line.strip() for line in text.splitlines()]
        found = [i for i, line in enumerate(lines) if DIVISION.match(line)]
        loops = list(_loops(lines))
        yield name, len(found), sum(any(first < i < last for first, last in loops) for i in found)


def _loops(lines: list[str]) -> Iterator[tuple[int, int]]:
    """The first and the last line of each."""
    labels = {}
    for i, line in enumerate(lines):
        if label := LABEL.match(line):
            labels[label[1]] = i
        if (branch := BRANCH.search(line)) and branch[1] in labels:
            yield labels[branch[1]], i
