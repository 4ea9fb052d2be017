"""Working in blocks: a part of the images at a time, so that what a step makes stays in cache."""

from __future__ import annotations

from collections.abc import Iterator


def blocks(images: int, rows: int, width: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Images and rows of about so many columns: several small images, or a band of a large one."""
    rows_at_once = max(1, columns // width)
    images_at_once = max(1, rows_at_once // max(rows, 1))
    for i in range(0, images, images_at_once):
        for r in range(0, rows, rows_at_once):
            yield slice(i, i + images_at_once), slice(r, min(r + rows_at_once, rows))
