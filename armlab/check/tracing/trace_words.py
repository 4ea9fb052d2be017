"""The words of a trace: what was run, the table, and one sentence on where to look."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

import numpy as np

from armlab.check.tracing.traced_values import IN_PYTORCH, TracedValue
from armlab.listed import listed
from armlab.watch import Call

WIDTH = 100
ALONE = "alone: the twin has no such call; held to PyTorch's function on the inputs it had by hand."
PREFIX = {
    "forward": "The forward parts first at",
    "gradients": "The forward agrees; the gradients part first at",
    "buffers": "Forward and gradients agree; the buffers part first at",
}


def mode(training: bool) -> str:
    return "training mode" if training else "evaluation mode"


def weights(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> str:
    """Where two state_dicts differ by more than the rounding of the coarser dtype."""
    apart = [f"{key} is only by hand" for key in ours if key not in theirs]
    apart += [f"{key} is only in PyTorch" for key in theirs if key not in ours]
    for key in [key for key in ours if key in theirs]:
        a, b = ours[key], theirs[key]
        coarse = min(a.dtype, b.dtype, key=lambda dtype: dtype.itemsize)
        if a.shape != b.shape:
            apart.append(f"{key} is {a.shape} by hand and {b.shape} in PyTorch")
        elif not np.array_equal(a.astype(coarse), b.astype(coarse), equal_nan=True):
            apart.append(f"{key} by up to {float(np.max(np.abs(a - b))):.2g}")
    if not apart:
        return f"Weights: the same in all {len(ours)} keys." if ours else "Weights: none."
    return f"Weights differ: {listed(apart, 5)}. Both sides ran with those by hand."


def table(rows: list[TracedValue]) -> Iterator[str]:
    """A header, and a line for each row below the name of its phase."""
    if not rows:
        return
    cells = [(row.where or "(top)", row.name, _shape(row)) for row in rows]
    header = ("where", "value", "shape")
    w = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    yield f"  {header[0]:{w[0]}}  {header[1]:{w[1]}}  {header[2]:{w[2]}}  max error    bound"
    phase, first = "", next((row for row in rows if row.parts), None)
    for row, (where, value, shape) in zip(rows, cells, strict=True):
        if row.phase != phase:
            phase = row.phase
            yield phase
        subtracted = not (row.note and np.isinf(row.error))
        numbers = f"{row.error:9.2g}  {row.bound:7.2g}" if subtracted else " " * 18
        line = f"  {where:{w[0]}}  {value:{w[1]}}  {shape:{w[2]}}  {numbers}"
        mark = "<-- first to part" if row is first else "<-- parts" if row.parts else ""
        yield _with_note(line, ["alone"] * row.alone + [row.note] * bool(row.note), mark)
    if any(row.alone for row in rows):
        yield ALONE


def _with_note(line: str, notes: list[str], mark: str) -> str:
    room = max(WIDTH - len(line) - len(mark) - 4, 20)
    note = textwrap.shorten(", ".join(notes), room, placeholder=" …")
    return "  ".join([line, *[note] * bool(note), *[mark] * bool(mark)]).rstrip()


def _shape(row: TracedValue) -> str:
    return "" if row.shape is None else str(tuple(row.shape))


def sentence(rows: list[TracedValue], never_back: list[Call]) -> str:
    """Whether all values agree; else the first that parts, and where to look."""
    first = next((row for row in rows if row.parts), None)
    if first is None:
        phases = list(dict.fromkeys(row.phase for row in rows))
        listed = " and ".join([", ".join(phases[:-1]), phases[-1]] if phases[1:] else phases)
        return f"All {len(rows)} values agree: {listed}."
    place = ": ".join([first.where or "(top)", *[first.name] * bool(first.name)])
    said = f"{PREFIX[first.phase]} {place}, {_how(first)}. Look at {first.source}."
    if first.phase == "gradients" and never_back:
        calls = ", ".join(f"{c.name} at {c.module or '(top)'}" for c in never_back)
        said += f" These backwards never ran: {calls}."
    if rows[-1].name == IN_PYTORCH and rows[-1] is not first:
        said += f" In PyTorch the module {rows[-1].note.rstrip('.')}, too."
    return said


def _how(row: TracedValue) -> str:
    if row.note and np.isinf(row.error):
        return row.note.rstrip(".") if row.shape is None else f"of shape {row.shape}, {row.note}"
    return f"off by {row.error:.2g} where {row.bound:.1e} is allowed"
