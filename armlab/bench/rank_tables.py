"""Training on several processes, timed and predicted, as two tables."""

from __future__ import annotations

from typing import Any


def as_text(document: dict[str, Any]) -> str:
    """What `armlab.bench.ranks` measured; `times` is of one process with one thread."""
    rows, model = document["rows"], document["model"]
    lines = [f"{'':36}{'ms/step':>10}{'images/s':>10}{'times':>8}"]
    lines += [
        f"{row['way']:36}{row['ms']:10.1f}{row['images_per_second']:10.1f}{row['times']:8.2f}"
        for row in rows
    ]
    if model:
        lines += [
            "",
            f"predicted, at {model['latency_us']:.0f} µs a message and {model['gbps']:.2f} GB/s",
            f"{'':36}{'images':>7}{'computes':>10}{'sends':>8}{'predicted':>11}{'measured':>10}"
            f"{'ratio':>7}",
        ]
        lines += [
            f"{step['way']:36}{step['part']:7d}{step['computes_ms']:10.1f}"
            f"{step['exchange_ms']:8.1f}{step['predicted_ms']:11.1f}{step['measured_ms']:10.1f}"
            f"{step['measured_ms'] / step['predicted_ms']:7.2f}"
            for step in model["steps"]
        ]
    return "\n".join(lines)
