"""The context path of BiSeNet."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import path, refinement
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def context_path(s: Source) -> Example:
    return path("ContextPath", {8: 2, 16: 2}, attention=refinement(s))(s)


CASES = [
    Case(
        "ContextPath",
        context_path,
        share=0.1,
        built=Built({"width": 2}, features(3), kinks="many", spares=1),
        held_by="pytorchcv's context path, in test_oracle.py",
    )
]

FAULTS = [
    Fault(
        "ContextPath: global context lost backward",
        "ContextPath",
        "context_path",
        "ContextPath.forward.backward",
        "df32",
        "pass",
        "f32 feeds ARM32 and the global context: both gradients belong to it",
    ),
    Fault(
        "ContextPath: one position speaks for the context",
        "ContextPath",
        "context_path",
        "ContextPath.forward.backward",
        "dz, d_avg",
        "dz, d_avg = avg_back(dr32[:, :, :1, :1])",
        "the context was added at every position, so it collects the gradients of all",
    ),
]
