"""The wiring of a module: which values each of its calls took, and where its results came from.

Stage by stage every call may be right while the module hands it the wrong value. As a whole a
module is judged in float64; this says whether another run, in float32 or on a device, had the
same wiring. An array that no call made and nobody gave has been computed by the module itself,
where no bound would see it: that is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from armlab.arrays import to_host
from armlab.check.example import by_name
from armlab.check.sides import HandRun
from armlab.watch import Call

Sources = frozenset[str]  # the names of one array: it may be handed on under several


@dataclass(frozen=True)
class Wire:
    """One value that goes into a call, or comes out of the module, and where it is from.

    A constant, such as eps or a stride, is its own source.
    """

    end: str
    sources: Sources


def wiring(run: HandRun, calls: list[Call]) -> list[Wire]:
    """The wires of one run, in the order of its calls. Raises AssertionError: see above."""
    outer = [call for call in calls if not call.inside]
    names = _names(run, outer)
    wires = [
        Wire(f"{end} of call {number}, {call.name}", _sources(names, a, end, call))
        for number, call in enumerate(outer)
        for end, a in _taken(call)
    ]
    wires += [Wire(key, names[id(a)]) for key, a in run.results.items() if id(a) in names]
    return wires


def expect_same_wiring(wires: list[Wire], reference: list[Wire]) -> None:
    """Raise AssertionError at the first wire that another run does not have."""
    for ours, theirs in zip(wires, reference, strict=False):
        same = ours.end == theirs.end and ours.sources & theirs.sources
        assert same, f"hand: {_words(ours)}; in float64 {_words(theirs)}"
    counts = f"{len(wires)} values, in float64 {len(reference)}"
    assert len(wires) == len(reference), f"hand: its calls take and give {counts}"


def _names(run: HandRun, calls: list[Call]) -> dict[int, Sources]:
    """What each array is called, by its identity."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for given in (run.inputs, run.dy, run.state):
        for name, a in given.items():
            found[id(a)].add(name)
    for number, call in enumerate(calls):
        for name, a in (call.values | call.grads).items():
            if a is not None:
                found[id(a)].add(f"{name} of call {number}")
    return {key: frozenset(names) for key, names in found.items()}


def _taken(call: Call) -> Iterator[tuple[str, Any]]:
    """The arrays and constants that a call was given, forwards and backwards."""
    yield from {**call.inputs, **call.options}.items()
    if call.dy is not None:
        yield from by_name("dy", call.dy).items()


def _sources(names: dict[int, Sources], a: Any, end: str, call: Call) -> Sources:
    if not hasattr(a, "shape"):
        return frozenset({repr(tuple(a) if isinstance(a, tuple) else a)})  # torch's sizes as well
    if id(a) in names:
        return names[id(a)]
    if not to_host(a).any():  # the gradient of an output that nobody used
        return frozenset({"zeros"})
    raise AssertionError(
        f"hand: {end} of {call.name}, {tuple(a.shape)}, is the result of no judged call: "
        "what a module computes by itself has to be a function of armlab.hand"
    )


def _words(wire: Wire) -> str:
    return f"{wire.end} is {' = '.join(sorted(wire.sources))}"
