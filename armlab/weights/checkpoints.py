"""Checkpoints: the state_dict among what people save beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from armlab.listed import listed
from armlab.weights.prefixes import give

REMEDY = "save module.state_dict() alone"
DEPTH = 5  # of the nests in a checkpoint; a pickle may hold itself
OF_A_RUN = "manifest.sha256"  # the member that only a checkpoint of armlab has


def state_dict_in(found: Any, nest: str | None = None) -> dict[str, Any]:
    """The state_dict in a checkpoint, wherever it lies, the optimiser's state aside.

    nest  where it lies, as in "ema" or "ema.module"; None where there is one alone

    Raises ValueError that names all of them where there are several.
    """
    if isinstance(found, Mapping) and OF_A_RUN in found:
        raise ValueError("expected weights, got the checkpoint of a run: give the run's folder")
    states = _states(found)
    if nest is not None:
        chosen = {at: s for at, s in states.items() if at == nest or at.startswith(f"{nest}.")}
        if not chosen:
            has = listed(repr(at) for at in states if at) or "none"
            raise ValueError(f"expected a nest of this checkpoint, got {nest!r}: it has {has}")
        states = chosen
    state = _only(states, found)
    for key, value in state.items():
        expect_array(key, value)
    return dict(state)


def expect_array(key: Any, value: Any) -> None:
    """Refuse a key that is no text, or what has no shape, in one sentence with the key."""
    if not isinstance(key, str):
        raise ValueError(f"expected text as a key, got {key!r}, {_a(key)}: {REMEDY}")
    if not is_array(value):
        raise ValueError(f"expected an array for {key!r}, got {_a(value)}: {REMEDY}")


def is_array(value: Any) -> bool:
    """Whether a value is an array of any library; torch's nested tensors raise at `.shape`."""
    return hasattr(value, "dtype") and hasattr(type(value), "shape")


def _a(value: Any) -> str:
    return type(value).__name__


def _states(found: Any, depth: int = DEPTH) -> dict[str, Mapping[Any, Any]]:
    """{"model": …, "ema.module": …}: the innermost mappings that hold arrays, by where they lie.

    Weights beside mappings are a state as well, with "" for its name.
    """
    if not isinstance(found, Mapping) or "param_groups" in found or depth == 0:
        return {}  # param_groups are an optimiser's
    below: dict[str, Mapping[Any, Any]] = {}
    for name, value in found.items():
        for at, state in _states(value, depth - 1).items():
            below[f"{name}.{at}" if at else str(name)] = state
    arrays = {key: value for key, value in found.items() if is_array(value)}
    if not below:
        return {"": found} if arrays else {}
    return below | ({"": arrays} if any(map(_is_weight, arrays)) else {})


def _only(states: Mapping[str, Mapping[Any, Any]], found: Any) -> Mapping[Any, Any]:
    networks = {at: state for at, state in states.items() if any(map(_is_weight, state))}
    states = networks or states
    if len(states) == 1:
        return next(iter(states.values()))
    if states:
        raise ValueError(
            f"it holds {len(states)} states of one kind, {listed(map(repr, states))}: "
            f"{give('nest', next(iter(states)))}, or another of them"
        )
    if isinstance(found, Mapping) and "param_groups" in found:
        raise ValueError(f"expected a state_dict, got the state of an optimiser: {REMEDY}")
    for key, value in found.items() if isinstance(found, Mapping) else ():
        expect_array(key, value)
    kind = "an empty one" if found == {} else _a(found)
    raise ValueError(f"expected a state_dict of arrays by key, got {kind}: {REMEDY}")


def _is_weight(key: Any) -> bool:
    """Layers have one; the scores and the counts that lie in other nests are called otherwise."""
    return isinstance(key, str) and key.rpartition(".")[2] == "weight"
