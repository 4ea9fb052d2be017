"""What was counted: what a module or a step launches by hand, and the operators of its twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from armlab import emulator
from armlab.bench.kernel_names import POINTERS
from armlab.emulator import Count

QUEUED = ("kernel", "product", "copy", "fill")  # what a program puts into the queue of the device
Shape = tuple[int, ...]
Counts = dict[str, Count]


@dataclass(frozen=True)
class Launches:
    """What one module, or one step of one network, launches.

    module     its class, and `given`, what that is called with
    shapes     (N, C, H, W) of each input
    dtype      "float32" or "float64"
    parts      by part ("forward", …) and name: what the code by hand launches, and waits for
    operators  by part and name: how often the twin calls each operator that launches something
    optimiser  of a step, "adam" or "sgd"; "" of a module
    read       of a step, by name: what reading the loss, and with it the check for NaN, launches
    """

    module: str
    given: Mapping[str, Any]
    shapes: Sequence[Shape]
    dtype: str
    parts: Mapping[str, Counts]
    operators: Mapping[str, Mapping[str, int]]
    optimiser: str = ""
    read: Counts = field(default_factory=dict)

    @property
    def by_name(self) -> Counts:
        """All parts together, without `read`; what is called most stands first."""
        found: Counts = {}
        for counts in self.parts.values():
            for name, c in counts.items():
                found[name] = added(found[name], c) if name in found else c
        return dict(sorted(found.items(), key=lambda item: (-item[1].calls, item[0])))

    @property
    def launched(self) -> int:
        return calls(self.by_name, *QUEUED)

    @property
    def pointer_tables(self) -> int:
        """Kernels that write tables of pointers, for products that are broadcast."""
        return self.by_name[POINTERS].calls if POINTERS in self.by_name else 0

    @property
    def operator_calls(self) -> int:
        return sum(sum(found.values()) for found in self.operators.values())

    @property
    def ratio(self) -> float:
        """Launches by hand for each operator of the twin."""
        return self.launched / self.operator_calls


def calls(counts: Counts, *kinds: str) -> int:
    """How many of these are of one of these kinds."""
    return sum(c.calls for c in counts.values() if c.kind in kinds)


def queued_by(run: Callable[[], object]) -> int:
    """How much a call puts into the queue of the emulated device."""
    with emulator.counting() as counts:
        run()
    return calls(counts, *QUEUED)


def added(a: Count, b: Count, times: int = 1) -> Count:
    """a + times b, of the same name."""
    return replace(
        a,
        calls=a.calls + times * b.calls,
        size=a.size + times * b.size,
        seconds=a.seconds + times * b.seconds,
    )
