"""Lists of whole numbers as people write them: 0-4,7 is 0, 1, 2, 3, 4 and 7."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST = 10_000  # numbers in a range: a longer one is a slip
FEW = 3  # numbers that follow each other are written as a range from here on


def parse_numbers(text: str) -> tuple[int, ...]:
    """The numbers in the order written. Raises ValueError for what is no such list."""
    found: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (0, -1)
        if not 0 <= last - first < MOST:
            raise ValueError(f"expected numbers such as 0-4 or 0,3,7, got {text!r}")
        found += range(first, last + 1)
    return tuple(found)


def written(numbers: Sequence[int]) -> str:
    """The way back: "0-4,7"."""
    parts, start = list[str](), 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            run = numbers[start:end]
            parts += [f"{run[0]}-{run[-1]}"] if len(run) >= FEW else [str(n) for n in run]
            start = end
    return ",".join(parts)
