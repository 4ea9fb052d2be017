"""Wrong versions of `hand/strips.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

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
