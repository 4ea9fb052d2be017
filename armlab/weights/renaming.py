"""Renaming: the keys of another repository put for ours, and back, by the tables in `key_maps`."""

from __future__ import annotations

from collections.abc import Mapping

from armlab.arrays import Array
from armlab.listed import listed
from armlab.weights.foreign_keys import LINEAR, Table
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.prefixes import select, strip_hint
from armlab.weights.states import State

OURS = "armlab"
AUXILIARY = ("conv_out16", "conv_out32")  # heads that only training has


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
            remedy = _remedy(state, unknown, source, table)
            raise _no_place(unknown, len(state), source, table, remedy)
    if part is not None:
        renamed = select(renamed, part)
    if to != OURS:
        table = key_map(to, module)
        prefix = f"{part}." if part else ""
        inverse = {ours: theirs for theirs, ours in table.items()}
        renamed, unknown = _apply(inverse, {f"{prefix}{key}": a for key, a in renamed.items()})
        if unknown:
            raise _no_place(unknown, len(unknown) + len(renamed), to, table)
    return renamed


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


def likely_source(state: Mapping[str, Array]) -> str | None:
    """Whose network this is, by its keys: "armlab", a repository, None where nobody's or unsure.

    A repository counts whose map knows every key, and has a key for each part of the network but
    the auxiliary heads. Where its keys are also ours, they are armlab's.
    """
    fitting = {name for name in REPOSITORIES if _is_whole(state, key_map(name))}
    if any(rename(state, name).keys() == state.keys() for name in fitting):
        return OURS
    return fitting.pop() if len(fitting) == 1 else None


def _is_whole(state: Mapping[str, Array], table: Table) -> bool:
    used = {_longest_prefix(key, table) for key in state}
    needed = {theirs for theirs, ours in table.items() if ours.partition(".")[0] not in AUXILIARY}
    return None not in used and needed <= used


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


def _remedy(state: Mapping[str, Array], unknown: list[str], source: str, table: Table) -> str:
    """What to do about keys that are not in the map of `source`; empty where that is unsure."""
    if hint := strip_hint(unknown, lambda key: _longest_prefix(key, table) is not None):
        return hint
    likely = likely_source(state)
    if likely is None or likely == source:
        return ""
    return f"they look like keys of {likely}: give source={likely!r} in Python, or --from {likely}"


def _no_place(
    unknown: list[str], total: int, repository: str, table: Table, remedy: str = ""
) -> ValueError:
    remedy = remedy or (
        "check whose keys they are and of which module, or take a part of ours that it knows: "
        f"{listed(table.values())}"
    )
    return ValueError(
        f"the key map {repository} has no place for {len(unknown)} of {total} keys: "
        f"{listed(unknown)}; {remedy}"
    )
