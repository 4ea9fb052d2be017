"""Names in a sentence: the first few, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[str], limit: int = 8, between: str = ", ") -> str:
    """a, b, c and 4 more"""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return between.join(names[:limit]) + more
