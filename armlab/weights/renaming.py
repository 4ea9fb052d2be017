"""Renaming: the keys of another repository put for ours, and back, by the tables in `key_maps`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from armlab.arrays import Array
from armlab.weights.foreign_keys import LINEAR, Table
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.states import State

OURS = "armlab"


def rename(
    state: Mapping[str, Array],
    source: str = OURS,
    to: str = OURS,
    module: str | None = None,
    part: str | None = None,
) -> State:
    """The same arrays under other keys: from those of `source` to those of `to`.

    source, to   "armlab", or a repository in `key_maps`, which also says what differs beside keys
    module       our name of what the state is of, by default the whole network
    part         only what stands under this prefix of ours, such as "cp.arm32"; the rest need not
                 be in the table. To ours, the prefix goes, so that the part loads into a module of
                 its own. To a repository, the keys stay those of its whole network.

    Raises ValueError that lists the keys for which the other side has no place.
    """
    renamed = dict(state)
    if source != OURS:
        table = key_map(source, module)
        renamed, unknown = _apply(table, renamed)
        if part is None and unknown:
            raise _no_place(unknown, len(state), source, table.values())
    if part is not None:
        renamed = select(renamed, part)
    if to != OURS:
        table = key_map(to, module)
        prefix = f"{part}." if part else ""
        inverse = {ours: theirs for theirs, ours in table.items()}
        renamed, unknown = _apply(inverse, {f"{prefix}{key}": a for key, a in renamed.items()})
        if unknown:
            raise _no_place(unknown, len(unknown) + len(renamed), to, table.values())
    return renamed


def select(state: Mapping[str, Array], part: str) -> State:
    """What stands under a prefix, without it: of a network's state, that of one of its modules."""
    prefix = f"{part}."
    selected = {key.removeprefix(prefix): a for key, a in state.items() if key.startswith(prefix)}
    if not selected:
        depth = len(part.split("."))
        parts = dict.fromkeys(".".join(key.split(".")[:depth]) for key in state)
        raise ValueError(f"expected a part of the state, got {part!r}: it has {_listed(parts)}")
    return selected


def key_map(repository: str, module: str | None = None) -> Table:
    """The table {theirs: ours} of a module, by default of the repository's whole network."""
    if repository not in REPOSITORIES:
        known = ", ".join([OURS, *REPOSITORIES])
        raise ValueError(f"expected a key map, got {repository!r}: the known ones are {known}")
    tables = REPOSITORIES[repository]
    module = module or next(iter(tables))
    if module not in tables:
        raise ValueError(
            f"the key map {repository} has no module {module!r}: it has {', '.join(tables)}"
        )
    return tables[module]


def _apply(table: Table, state: State) -> tuple[State, list[str]]:
    """The arrays under their new keys, and the old keys that are not in the table."""
    renamed, unknown = {}, []
    for key, a in state.items():
        prefix = _longest_prefix(key, table)
        if prefix is None:
            unknown.append(key)
            continue
        new = table[prefix] + key.removeprefix(prefix)
        if key in LINEAR and a.ndim == 2:
            a = a.reshape((*a.shape, 1, 1))
        elif new in LINEAR and a.ndim == 4:
            a = a.reshape(a.shape[:2])
        renamed[new] = a
    return renamed, unknown


def _longest_prefix(key: str, table: Table) -> str | None:
    """The entry that the key falls under: "a.b.c", else "a.b", else "a"."""
    while key and key not in table:
        key = key.rpartition(".")[0]
    return key or None


def _no_place(unknown: list[str], total: int, repository: str, parts: Iterable[str]) -> ValueError:
    return ValueError(
        f"the key map {repository} has no place for {len(unknown)} of {total} keys: "
        f"{_listed(unknown)}; check whose keys they are and of which module, "
        f"or take a part of ours that it knows: {_listed(parts)}"
    )


def _listed(names: Iterable[str], limit: int = 8) -> str:
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
