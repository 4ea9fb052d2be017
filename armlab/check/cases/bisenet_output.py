"""A head of BiSeNet."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.modules import module_example
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def bisenet_output(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "mid_channels": 3, "classes": 6, "bias": s.pick(True, False)}
    return module_example(s, "BiSeNetOutput", options, (n, c, h, w), (n, 6, h, w))


CASES = [
    Case(
        "BiSeNetOutput",
        bisenet_output,
        built=Built(
            {
                "in_channels": 3,
                "mid_channels": 4,
                "classes": 5,
                "bias": False,
                "activation": "leaky_relu",
            },
            features(3),
            kinks="few",
            spares=1,
        ),
        held_by="pytorchcv's heads, in test_oracle.py",
    )
]
