"""The network of the toy training."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.modules import module_example, refinement
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def toy_net(s: Source) -> Example:
    shape = (2, 3, 61, 90) if s.large else (s.pick(2, 3), 3, s.pick(7, 10), s.pick(9, 12))
    options = {"classes": 4, "attention": refinement(s), "channels": s.pick(2, 6)}
    return module_example(s, "ToyNet", options, shape, (shape[0], 4, *shape[2:]))


CASES = [
    Case(
        "ToyNet",
        toy_net,
        share=0.25,
        built=Built(
            {"classes": 4, "attention": "arm", "channels": 6},
            features(3),
            kinks="few",
            spares=1,
        ),
        held_by="its parts, each a case",
    )
]
