"""The sums of a cost: of the whole, of each part, and of the branches of an attention module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from operator import index

from armlab import hand
from armlab.cost import rules
from armlab.cost.dry_run import DryRun, dry_run
from armlab.cost.shape_array import ShapeArray
from armlab.watch import Call

ARMS = (hand.AttentionRefinementModule, hand.PaperAttentionRefinement)
FEATURES, ATTENTION, GATE = "features", "attention", "gate"


@dataclass(frozen=True)
class Cost:
    """Four counts, as `armlab.cost` defines them."""

    parameters: int = 0
    multiply_adds: int = 0
    elementwise: int = 0
    bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class CallCost:
    """The cost of one call, made by the module at `path`."""

    path: str
    kind: str
    cost: Cost

    def within(self, path: str) -> bool:
        return path in ("", self.path) or self.path.startswith(f"{path}.")


class ModuleCost:
    """What a module costs on inputs of given shapes.

    modules   the parts that ran, by path; "" is the whole
    entries   one for each call, in order
    outputs   shapes of what the module returned
    """

    def __init__(self, module: hand.Module, *shapes: Sequence[int]) -> None:
        self.inputs = [tuple(map(index, shape)) for shape in shapes]
        run = dry_run(module, *self.inputs)
        values = run.value if isinstance(run.value, tuple) else (run.value,)
        self.outputs = [y.shape for y in values]
        self.entries = list(_entries(run))
        self.modules = {
            path: part
            for path, part in module.named_modules()
            if any(entry.within(path) for entry in self.entries)
        }
        self._calls = run.calls

    def of(self, *paths: str) -> Cost:
        """The cost of these parts together, each with all that is inside it."""
        return _sum(e.cost for e in self.entries if any(e.within(path) for path in paths))

    @property
    def total(self) -> Cost:
        return self.of("")

    @property
    def attention(self) -> list[str]:
        """Paths of the modules that gate features and can show that gate."""
        gating = dict.fromkeys(call.module for call in self._calls if call.name == "sigmoid_gate")
        return [path for path in gating if hasattr(self.modules[path], "gate")]

    @property
    def arms(self) -> list[str]:
        """Paths of the attention refinement modules, the article's and the paper's."""
        return [path for path in self.attention if isinstance(self.modules[path], ARMS)]

    def branches(self, path: str) -> dict[tuple[str, str], Cost]:
        """The cost of an attention module by (branch, kind), in the order of execution.

        With y = x σ(a): the gate is that product, the attention branch what leads to a and not
        to x, and features are the rest, such as the 3×3 of an ARM.
        """
        inside = [(c, e) for c, e in zip(self._calls, self.entries, strict=True) if e.within(path)]
        attention = set[ShapeArray]()
        for call, _ in inside:
            if call.name == "sigmoid_gate":
                x, a = _read(call)
                attention |= a.ancestry() - x.ancestry()
        costs: dict[tuple[str, str], Cost] = {}
        for call, entry in inside:
            branch = ATTENTION if attention & {*call.values.values()} else FEATURES
            row = GATE if call.name == "sigmoid_gate" else branch, entry.kind
            costs[row] = costs.get(row, Cost()) + entry.cost
        return costs

    def without_features(self, *paths: str) -> Cost:
        """The cost of the attention branches and gates of these modules alone."""
        rows = [row for path in paths for row in self.branches(path).items()]
        return _sum(cost for (branch, _), cost in rows if branch != FEATURES)


def _sum(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())


def _entries(run: DryRun) -> Iterator[CallCost]:
    unseen = set(run.weights)
    for call in run.calls:
        work = rules.work(call.name, *call.inputs.values(), **call.options)
        read = _read(call)
        weights = unseen.intersection(read)  # a weight used twice is one weight
        unseen -= weights
        cost = Cost(
            parameters=sum(w.size for w in weights),
            multiply_adds=work.multiply_adds,
            elementwise=work.elementwise,
            bytes=sum(a.bytes for a in (*read, *call.values.values())),
        )
        yield CallCost(call.module, work.kind, cost)


def _read(call: Call) -> list[ShapeArray]:
    """The arrays that a call reads, weights and kept statistics among them."""
    return [a for a in (*call.inputs.values(), *call.options.values()) if isinstance(a, ShapeArray)]
