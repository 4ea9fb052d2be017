"""Named faults: wrong versions of the code by hand, each of which the tests must catch.

The hint says what the mistake is; the exercises show it to whoever makes the same one.
"""

from __future__ import annotations

from armlab.check.fault import Fault, planted
from armlab.check.faults import (
    arm,
    batch_norm,
    convolution,
    gates,
    networks,
    pooling,
    relatives,
    resizing_and_loss,
    spatial,
    strips_and_elements,
)

__all__ = ["FAULTS", "Fault", "of_case", "planted"]

FAULTS = [
    *convolution.FAULTS,
    *batch_norm.FAULTS,
    *pooling.FAULTS,
    *gates.FAULTS,
    *resizing_and_loss.FAULTS,
    *arm.FAULTS,
    *relatives.FAULTS,
    *strips_and_elements.FAULTS,
    *spatial.FAULTS,
    *networks.FAULTS,
]


def of_case(case: str) -> list[Fault]:
    """The faults that the tests of one case must catch."""
    return [fault for fault in FAULTS if fault.case == case]
