"""What a wrong answer has in common with the right one; it needs no catalogue of mistakes.

Each file looks for one kind of likeness. Whatever is said holds on every plain example on which
the answer is wrong, and there are several of those.
"""

from __future__ import annotations

from armlab.exercises.exercise import Asked
from armlab.exercises.fresh import Call, Tried
from armlab.exercises.likeness import cases, places, precision, shapes, terms, unused, values
from armlab.exercises.likeness.result import LEAST, Result, results_of

LOOKED_FOR = (
    shapes.another_result,
    shapes.axes,
    shapes.turned,
    terms.one,
    values.factor,
    values.elementwise,
    values.changed,
    terms.several,
)


def likeness(asked: Asked, call: Call, tried: list[Tried]) -> str:
    """A sentence that is true of the answer, or an empty one."""
    if text := precision.precision(asked, call, tried):
        return text
    plain = [t for t in tried if t.plain and t.got is not None]
    if sum(t.wrong for t in plain) >= LEAST:
        if text := shapes.exchanged(asked, plain):
            return text
        for result in results_of(asked, plain):
            if text := _of_one(result):
                return text
    return unused.unused(asked, call, tried) or cases.cases(tried) or places.places(asked, tried)


def _of_one(result: Result) -> str:
    for look in LOOKED_FOR:
        if text := look(result):
            return f"{result.name}: {text}" if result.count > 1 else text
    return ""
