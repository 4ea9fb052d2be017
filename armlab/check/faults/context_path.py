"""Wrong versions of `hand/context_path.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

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
