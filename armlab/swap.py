"""Put other functions in the place of the project's own, everywhere at once, for a while.

A function is known by name in its own file, in every file that imports it, and in small tables.
A recorder or a planted fault has to stand in all of these places.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from types import FunctionType
from typing import Any


@contextmanager
def swapped(replacements: Mapping[Any, Any], around: Iterable[type] = ()) -> Iterator[None]:
    """Within this block, each key of `replacements` is its value, in all of armlab.

    around  classes of other places, such as a notebook: also in the names that their methods use
    """
    by_id = {id(_plain(old)): new for old, new in replacements.items()}
    tables = _with_inner([*_namespaces(), *_globals_of(around)])
    changed = [(table, key, table[key]) for table in tables for key in _held(table, by_id)]
    for table, key, old in changed:
        table[key] = by_id[id(_plain(old))]
    try:
        yield
    finally:
        for table, key, old in changed:
            table[key] = old


def _namespaces() -> list[dict[Any, Any]]:
    """That of every loaded file of armlab."""
    return [vars(m) for n, m in list(sys.modules.items()) if n.partition(".")[0] == "armlab"]


def _globals_of(classes: Iterable[type]) -> list[dict[Any, Any]]:
    """Where the methods of these classes look names up."""
    families = {c for kind in classes for c in kind.__mro__}
    methods = [f for c in families for f in vars(c).values() if isinstance(f, FunctionType)]
    return [f.__globals__ for f in methods]


def _with_inner(spaces: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """These namespaces, each once, and the dicts and the lists of records at their top level."""
    spaces = list({id(space): space for space in spaces}.values())
    known = [value for space in spaces for name, value in space.items() if name.isupper()]
    inner = [value for value in known if isinstance(value, dict)]
    rows = [row for value in known if isinstance(value, list) for row in value]
    inner += [vars(row) for row in rows if is_dataclass(row)]
    return list({id(table): table for table in spaces + inner}.values())


def _held(table: dict[Any, Any], by_id: Mapping[int, Any]) -> list[Any]:
    return [key for key, value in table.items() if id(_plain(value)) in by_id]


def _plain(thing: Any) -> Any:
    """A function as it stands in its own file: `armlab.hand` exports it with its dy judged."""
    return inspect.unwrap(thing) if isinstance(thing, FunctionType) else thing
