"""Put other functions in the place of the project's own, everywhere at once, for a while.

A function is known by name in its own file, in every file that imports it, and in small tables.
A recorder or a planted fault has to stand in all of these places.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def swapped(replacements: Mapping[Any, Any]) -> Iterator[None]:
    """Within this block, each key of `replacements` is its value, in all of armlab."""
    by_id = {id(old): new for old, new in replacements.items()}
    changed = [(table, key, table[key]) for table in _tables() for key in _held(table, by_id)]
    for table, key, old in changed:
        table[key] = by_id[id(old)]
    try:
        yield
    finally:
        for table, key, old in changed:
            table[key] = old


def _tables() -> list[dict[Any, Any]]:
    """The namespace of every loaded file of armlab, and the dicts at its top level."""
    spaces = [vars(m) for n, m in list(sys.modules.items()) if n.partition(".")[0] == "armlab"]
    inner = [v for space in spaces for k, v in space.items() if isinstance(v, dict) and k.isupper()]
    return spaces + inner


def _held(table: dict[Any, Any], by_id: Mapping[int, Any]) -> list[Any]:
    return [key for key, value in table.items() if id(value) in by_id]
