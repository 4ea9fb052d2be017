"""The progress of a grid on a terminal: a row for each finished run, and the figure of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from armlab import plots
from armlab.training.ablation_text import milliseconds
from armlab.training.config import Config
from armlab.training.findings import MEASURES, Finding
from armlab.training.grid_run import Record
from armlab.training.run_progress import TerminalRunProgress, headed, three, told_apart

HEADER = "attention      seed    mIoU   A against B   ms a step   seconds"


class TerminalGridProgress:
    """Rows on standard output; the progress of each run, as in a training, on standard error."""

    def __init__(self, runs: int, rows: bool = True, context: bool = True) -> None:
        self.runs, self.rows = runs, rows
        self.context = context  # whether the data have classes that context alone tells apart
        self.finished, self._begun = 0, 0

    def run(self, config: Config) -> TerminalRunProgress:
        place = f"{self.finished + 1} of {self.runs}"
        label = f"{config.attention} seed {config.seed} ({place})"
        self._begun += 1
        return TerminalRunProgress(rows=False, label=label, described=self._begun > 1)

    def done(self, record: Record) -> None:
        if self.rows and not self.finished:
            print(headed(HEADER, self.context))
        self.finished += 1
        if self.rows:
            print(as_text(record, self.context), flush=True)


def as_text(record: Record, context: bool = True) -> str:
    """One run under HEADER."""
    return (
        f"{record['attention']:<13} {record['seed']:5d} {three(record['miou']):>7}"
        f"{told_apart(record, context)} {milliseconds(record['seconds_per_step']):>11} "
        f"{record['seconds']:9.1f}"
    )


def draw(found: Sequence[Finding], path: Path) -> None:
    """Raises OSError where the figure cannot be written."""
    names = {m: MEASURES[m] for m in found[0].means}
    plots.ablation(
        [f.attention for f in found],
        {name: [f.values[m] for f in found] for m, name in names.items()},
        {name: [f.means[m].pair for f in found] for m, name in names.items()},
        {name: [f.differences[m].pair for f in found[1:]] for m, name in names.items()},
        path,
    )
