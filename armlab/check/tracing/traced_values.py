"""The rows of a trace: each value of the hand side beside the same one in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from armlab.check import bounds
from armlab.check.sides import Results, run_torch
from armlab.check.stages import as_example
from armlab.check.tracing.events import Event, Problem, outputs
from armlab.check.tracing.hand_run import HandRun
from armlab.watch import Call

if TYPE_CHECKING:
    from armlab.check.tracing.twin_run import TwinRun

IN_PYTORCH = "in PyTorch"  # the name of the row that says that the twin failed


@dataclass(frozen=True)
class TracedValue:
    """One value of the hand side, and how far it is from the same value in PyTorch.

    phase   "forward", "gradients" or "buffers"
    where   path of the module, "" for the traced one
    name    "conv2d dw", "dx", "running_mean"
    error   the largest one; infinity where there is nothing to subtract, as `note` says
    alone   the twin has no such call: held to PyTorch's function on the inputs that it had by hand
    source  where to look if this is the first to part
    """

    phase: str
    where: str
    name: str
    shape: tuple[int, ...] | None
    error: float
    bound: float
    note: str = ""
    alone: bool = False
    source: str = ""

    @property
    def parts(self) -> bool:
        return not self.error <= self.bound  # NaN parts


def compared(run: HandRun, twin: TwinRun) -> list[TracedValue]:
    """A row for each value that can be held to something, in the order of the run.

    An array that is handed on keeps its row, unless it parts from what it should be elsewhere.
    """
    oracle = _Oracle(run, twin)
    shown = {(phase, id(a), False) for phase, arrays in run.given.items() for a in arrays}
    rows: list[TracedValue] = []
    for event in run.notes.events:
        if isinstance(event, Problem):
            rows.append(_problem(event))
            continue
        row = oracle.row(event, explain=not any(row.parts for row in rows))
        seen = (event.phase, id(event.array), row is not None and row.parts)
        if row is not None and (seen not in shown or event.is_result):
            shown.add(seen)
            rows.append(row)
    rows += _buffers(run, twin)
    if twin.error:
        phase = "gradients" if twin.outputs else "forward"
        source = "PyTorch's module, and at what it was given"
        rows.append(_problem(Problem(phase, "", IN_PYTORCH, twin.error, source)))
    return rows


class _Oracle:
    """What a value of the hand side should be, by the twin or else by the function alone."""

    def __init__(self, run: HandRun, twin: TwinRun) -> None:
        self._run, self._twin = run, twin
        ended = run.backward is None or bool(twin.error)
        ours, theirs = run.notes.counts, twin.counts
        # where one side calls more often, which call is which is not known
        self._aligned = {place for place in ours if ended or ours[place] == theirs[place]}
        self._alone: dict[int, Results] = {}
        self._handed_on: dict[int, np.ndarray | None] = {}
        self._look_ahead()

    def _look_ahead(self) -> None:
        """For each event, what the twin knows the same array as when it is handed on."""
        ahead: dict[tuple[str, int], np.ndarray] = {}
        for event in reversed([e for e in self._run.notes.events if isinstance(e, Event)]):
            array, exact = (event.phase, id(event.array)), self._of_twin(event)
            self._handed_on[id(event)] = ahead.get(array)
            if exact is not None:
                ahead[array] = exact

    def row(self, event: Event, explain: bool) -> TracedValue | None:
        """None where there is nothing to hold the value to.

        explain  nothing has parted before: where this does, say whose fault it is
        """
        exact = self._of_twin(event)
        if exact is not None:
            return _row(event, exact)
        exact = self._handed_on[id(event)]
        if exact is not None:
            row = _row(event, exact)
            if not row.parts:
                return row
            if not explain:
                return None
        own = self._own(event)
        return None if own is None else _row(event, own, alone=True)

    def _of_twin(self, event: Event) -> np.ndarray | None:
        key = event.key[2:] if len(event.key) == 4 else event.key  # of a parameter: without a call
        aligned = event.key[:2] in self._aligned
        return self._twin.found.get((event.phase, *key)) if aligned else None

    def _own(self, event: Event) -> np.ndarray | None:
        """What PyTorch's function gives on the inputs and the dy that this call had by hand."""
        call = event.call
        if call is None:
            return None
        if id(call) not in self._alone:
            self._alone[id(call)] = _by_torch(call)
        return self._alone[id(call)].get(event.name.split()[1])


def _by_torch(call: Call) -> Results:
    if call.dy is None:
        zeros = tuple(np.zeros_like(y) for y in outputs(call.values).values())
        call = replace(call, dy=zeros if len(zeros) > 1 else zeros[0])
    try:
        return run_torch(call.name, as_example(call), "float64")
    except Exception:  # a dy of the wrong shape: it has parted before
        return {}


def _row(event: Event, exact: np.ndarray, alone: bool = False) -> TracedValue:
    error, bound, note = measured(event.value, exact)
    shape = getattr(event.value, "shape", None)
    return TracedValue(
        event.phase, event.where, event.name, shape, error, bound, note, alone, event.source
    )


def measured(value: Any, exact: np.ndarray) -> tuple[float, float, str]:
    """The largest error, its bound, and what is wrong where that is no number."""
    bound = float(np.max(bounds.whole(exact[np.isfinite(exact)]), initial=0.0))
    if not isinstance(value, np.ndarray | np.generic):
        return np.inf, bound, f"{type(value).__name__}, not an array"
    if value.shape != exact.shape:
        return np.inf, bound, f"not {exact.shape}"
    with np.errstate(invalid="ignore"):
        error = np.where(value == exact, 0.0, np.abs(value - exact))
    note = "" if value.dtype == exact.dtype else f"is {value.dtype}"
    return float(np.max(error, initial=0.0)), bound, note


def _problem(p: Problem) -> TracedValue:
    return TracedValue(p.phase, p.where, p.name, None, np.inf, 0.0, p.text, source=p.source)


def _buffers(run: HandRun, twin: TwinRun) -> Iterator[TracedValue]:
    for key, a in run.module.buffers().items():
        exact = twin.found.get(("buffers", key, 0))
        if exact is not None:
            where, _, name = key.rpartition(".")
            error, bound, note = measured(a, exact)
            source = f"how {run.words(where)} keeps {name}"
            yield TracedValue("buffers", where, name, a.shape, error, bound, note, source=source)
