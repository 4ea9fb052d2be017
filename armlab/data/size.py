"""The size of an image, as (height, width) and as people write it."""

from __future__ import annotations

import re
from numbers import Integral
from operator import index
from typing import Any

Size = tuple[int, int]


def parse_size(size: Any) -> Size:
    """(height, width) of 64, "64", "48x64" or [48, 64]. Raises ValueError for all else."""
    parts = re.split("[x×]", size.strip()) if isinstance(size, str) else size
    parts = [parts] if isinstance(parts, Integral) else parts
    try:
        numbers = [int(part) if isinstance(part, str) else index(part) for part in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1 or any(isinstance(n, bool) for n in parts):
        raise ValueError(
            f"expected a size in pixels, HEIGHTxWIDTH or one number, got {size!r}: "
            "write 64 or 360x480"
        )
    return numbers[0], numbers[-1]


def expect_scene_size(size: Any) -> Size:
    """Refuse scenes without room for digits far from the band, or larger than the photographs."""
    height, width = parse_size(size)
    for side in (height, width):
        if not 48 <= side <= 160:
            raise ValueError(
                f"expected a size of 48 to 160 pixels, got {side}: choose one of these"
            )
    return height, width
