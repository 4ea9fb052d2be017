"""The table of launches that the code by hand is measured by, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from armlab import hand
from armlab.bench import count_launches
from armlab.bench.kernel_names import in_words
from armlab.bench.launch_tables import KINDS, title
from armlab.bench.launches import Launches, calls


@dataclass(frozen=True)
class Row:
    """A module, what it is built with, and the shape of its input; of a network, a step of Adam."""

    module: str
    shape: tuple[int, int, int, int]
    given: dict[str, Any] = field(default_factory=dict)
    step: bool = False

    def counted(self) -> Launches:
        net = getattr(hand, self.module)(**self.given, rng=0)
        if self.step:
            return count_launches.of_step(net, self.given, self.shape)
        return count_launches.of_module(net, self.given, [self.shape])


MAP, IMAGES = (2, 64, 16, 16), (8, 3, 64, 64)
THREE = {"in_channels": 64, "out_channels": 32, "kernel_size": 3, "padding": 1, "bias": False}
ROWS = (
    Row("Conv2d", MAP, THREE),
    Row("PaperAttentionRefinement", MAP, {"channels": 64}),
    Row("AttentionRefinementModule", MAP, {"in_channels": 64, "out_channels": 32}),
    Row("SAR", MAP, {"in_channels": 64, "mid_channels": 32, "out_channels": 32}),
    Row("CBAM", MAP, {"channels": 64}),
    Row("ToyNet", IMAGES, {"attention": "arm", "channels": 16}, step=True),
    Row("ToyBiSeNet", IMAGES, step=True),
)
COLUMNS: dict[str, Callable[[Launches], str]] = {
    "kernels": lambda found: f"{calls(found.by_name, 'kernel'):,}",
    "pointer tables among them": lambda found: f"{found.pointer_tables:,}",
    "products": lambda found: f"{calls(found.by_name, 'product'):,}",
    "copies": lambda found: f"{calls(found.by_name, 'copy'):,}",
    "fills": lambda found: f"{calls(found.by_name, 'fill'):,}",
    "waits": lambda found: f"{calls(found.by_name, 'wait'):,}",
    "launches": lambda found: f"{found.launched:,}",
    "operators of PyTorch": lambda found: f"{found.operator_calls:,}",
    "ratio": lambda found: f"{found.ratio:.1f}",
}
WORST, NAMES = 2, 10


def counted() -> list[Launches]:
    """Every row, in their order."""
    return [row.counted() for row in ROWS]


def as_markdown(found: list[Launches]) -> str:
    """One row each, what reading a loss adds, and the kernels of those with the highest ratio."""
    worst = sorted(found, key=lambda each: -each.ratio)[:WORST]
    parts = [_totals(found), _reading(found), *map(_kernels, worst)]
    return "\n\n".join("\n".join(part) for part in parts)


def _totals(found: list[Launches]) -> Iterator[str]:
    yield f"| what | on | {' | '.join(COLUMNS)} |"
    yield f"|---|---|{'--:|' * len(COLUMNS)}"
    for each in found:
        sizes = " and ".join("×".join(map(str, shape)) for shape in each.shapes)
        cells = [column(each) for column in COLUMNS.values()]
        yield f"| {title(each)} | {sizes} | {' | '.join(cells)} |"


def _reading(found: list[Launches]) -> Iterator[str]:
    """In no total: what stands after a step."""
    for each in (each for each in found if each.optimiser):
        kinds = [f"{words} {calls(each.read, kind):,}" for kind, (words, _) in KINDS.items()]
        yield f"- Reading the loss after {title(each)}: {', '.join(kinds)}."


def _kernels(found: Launches) -> Iterator[str]:
    """The kernels that are called most, with their share of all kernels."""
    kernels = {name: c for name, c in found.by_name.items() if c.kind == "kernel"}
    every = calls(kernels, "kernel")
    yield f"The kernels of {title(found)}, {len(kernels)} different ones called {every:,} times:"
    yield ""
    yield "| kernel | calls | share | threads | CuPy's name |"
    yield "|---|--:|--:|--:|---|"
    for name, c in list(kernels.items())[:NAMES]:
        yield f"| {in_words(name)} | {c.calls:,} | {c.calls / every:.0%} | {c.size:,} | `{name}` |"
