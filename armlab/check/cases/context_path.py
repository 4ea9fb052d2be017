"""The context path of BiSeNet, alone and with the trunk's features beside it."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import path, refinement
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def context_path(s: Source) -> Example:
    resizing = {"mode": s.pick("nearest", "bilinear"), "align_corners": s.pick(False, True)}
    return path("ContextPath", {8: 2, 16: 2}, attention=refinement(s), **resizing)(s)


def single_path(s: Source) -> Example:
    resizing = {"mode": s.pick("nearest", "bilinear"), "align_corners": s.pick(False, True)}
    shapes = {8: 2, 16: 2}
    return path("SinglePath", shapes, repeats=2, attention=refinement(s), **resizing)(s)


CASES = [
    Case(
        "ContextPath",
        context_path,
        share=0.1,
        built=Built({"width": 2}, features(3), kinks="many", spares=1),
        held_by="pytorchcv's context path, in test_oracle.py",
    ),
    Case(
        "SinglePath",
        single_path,
        share=0.1,
        built=Built({"width": 2}, features(3), kinks="many", spares=1),
        held_by="pytorchcv's network, in test_families.py",
    ),
]

FAULTS = [
    Fault(
        "ContextPath: global context lost backward",
        "ContextPath",
        "context_path",
        "ContextPath.scales.backward",
        "df32",
        "pass",
        "f32 feeds ARM32 and the global context: both gradients belong to it",
    ),
    Fault(
        "ContextPath: one position speaks for the context",
        "ContextPath",
        "context_path",
        "ContextPath.scales.backward",
        "dz, d_avg",
        "dz, d_avg = avg_back(dr32[:, :, :1, :1])",
        "the context was added at every position, so it collects the gradients of all",
    ),
    Fault(
        "SinglePath: the trunk's own gradient lost",
        "SinglePath",
        "context_path",
        "ContextPath.scales.backward",
        "df8, dy8, dy16",
        "df8, dy8, dy16 = fill_unused((None, *dy[1:]), shapes)",
        "f8 is an output, beside the input of layer3: both gradients belong to it",
    ),
]
