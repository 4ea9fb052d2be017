"""Wrong versions of `hand/add.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "add: a repeated term keeps its copies apart",
        "add",
        "add",
        "add.backward",
        "return",
        "return dy, dy",
        "x2 was repeated to the shape of x1: what its copies receive adds up",
    ),
    Fault(
        "add: the gradient shared between the terms",
        "add",
        "add",
        "add.backward",
        "return",
        "return 0.5 * dy, 0.5 * unbroadcast(dy, shape)",
        "each term moves y by as much as itself, so each receives all of dy",
    ),
    Fault(
        "subtract: minus forgotten backward",
        "subtract",
        "add",
        "subtract.backward",
        "(2)",
        "return dy, unbroadcast(dy, shape)",
        "y falls where x2 grows: its gradient is that of -x2",
    ),
    Fault(
        "add_unbuffered: a repeated term keeps its copies apart",
        "add",
        "kernels/add_unbuffered",
        "add.backward",
        "return",
        "return dy, dy",
        "x2 was repeated to the shape of x1: what its copies receive adds up",
    ),
]
