"""Strips of row and column values end to end, and apart again."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source


def join_strips(s: Source) -> Example:
    n, c, h, w = s.features()
    inputs = {
        "rows": s.array("rows", (n, c, h, 1)),
        "columns": s.array("columns", (n, c, 1, w)),
    }
    return Example(inputs, {}, s.array("dy", (n, c, h + w, 1)), layouts=s.layouts)


def split_strips(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h + w, 1))
    dy = s.array("dy", (n, c, h, 1)), s.array("dy2", (n, c, 1, w))
    return Example({"x": x}, {"height": h}, dy, layouts=s.layouts)


def _call_join(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    n, c, h, w = shape
    return {"rows": smooth(rng, n, c, h, 1), "columns": smooth(rng, n, c, 1, w)}, {}


def _call_split(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    n, c, h, w = shape
    return {"x": smooth(rng, n, c, h + w, 1)}, {"height": h}


CASES = [
    Case(
        "join_strips",
        join_strips,
        nothing_rounds,
        join_strips,
        calls={"": _call_join},
        cost=(0, 0),
        timed=(Timed({"rows": (8, 32, 64, 1), "columns": (8, 32, 1, 64)}),),
    ),
    Case(
        "split_strips",
        split_strips,
        nothing_rounds,
        split_strips,
        calls={"": _call_split},
        cost=(0, 0),
        timed=(Timed({"x": (8, 32, 128, 1)}, {"height": 64}),),
    ),
]

FAULTS = [
    Fault(
        "join_strips: cut behind the columns' length",
        "join_strips",
        "strips",
        "join_strips.backward",
        "(1)",
        "return _apart(dy, dy.shape[2] - height)",
        "the rows come first, and there are H of them",
    ),
    Fault(
        "split_strips: the columns' gradient first",
        "split_strips",
        "strips",
        "split_strips.backward",
        "(2)",
        "transposed = [array_namespace(d).matrix_transpose(d) for d in dy]\n"
        "return _end_to_end(transposed[1], transposed[0])",
        "the strip holds the rows first, then the columns: their gradients go back in that order",
    ),
]
