"""The context path of BiSeNet."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
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
