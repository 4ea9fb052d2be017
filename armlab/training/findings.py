"""What a grid of runs found: means over the seeds, and differences from the first attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from armlab.cost import ModuleCost
from armlab.training.ablation import Grid
from armlab.training.config import Config
from armlab.training.grid_run import Record
from armlab.training.intervals import Interval, Values, interval, mean_over_seeds, paired_difference
from armlab.training.start import make_net

MEASURES = {"miou": "mIoU", "told_apart": "A against B"}
ALWAYS = "miou"  # which any data have; a test part without a counted pixel gives none


@dataclass(frozen=True)
class Finding:
    """One attention in a grid. `means` and `differences` have the measures that any run has."""

    attention: str
    values: dict[str, Values]
    means: dict[str, Interval]
    differences: dict[str, Interval]  # from the first attention, seed by seed; {} for itself
    parameters: int
    multiply_adds: int
    seconds_per_step: float | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "seconds_per_step": self.seconds_per_step,
            "means": {name: vars(i) for name, i in self.means.items()},
            "differences": {
                name: vars(i) | {"verdict": verdict(i)} for name, i in self.differences.items()
            },
        }


def findings(grid: Grid, records: Sequence[Record]) -> list[Finding]:
    """One for each attention of the grid, in its order."""
    measures = [m for m in MEASURES if m == ALWAYS or any(r.get(m) is not None for r in records)]
    first = {m: _values(records, grid.attentions[0], m) for m in measures}
    found = []
    for config in list(grid.configs())[: len(grid.attentions)]:
        own = [r for r in records if r["attention"] == config.attention]
        values = {m: _values(records, config.attention, m) for m in measures}
        differences = {m: paired_difference(values[m], first[m]) for m in measures}
        found.append(
            Finding(
                config.attention,
                values,
                {m: mean_over_seeds(values[m]) for m in measures},
                differences if config.attention != grid.attentions[0] else {},
                own[0]["parameters"],
                multiply_adds(config),
                interval([s for r in own if (s := r["seconds_per_step"])]).mean,
            )
        )
    return found


def multiply_adds(config: Config) -> int:
    """Of one image through the network of a run, forward, as `armlab cost` counts them."""
    net = make_net(config).eval()
    return ModuleCost(net, (1, 3, *config.size)).total.multiply_adds


def verdict(difference: Interval) -> str:
    """What may be said of a difference, in words."""
    if difference.mean is None:
        return "no value to compare"
    if difference.half_width is None:
        return "one pair: no interval, so nothing is claimed"
    if not difference.differs:
        return "no difference seen"
    return "more" if difference.mean > 0 else "less"


def _values(records: Sequence[Record], attention: str, measure: str) -> Values:
    return {r["seed"]: r.get(measure) for r in records if r["attention"] == attention}
