"""The progress of a run on a terminal: rows on standard output, progress on standard error."""

from __future__ import annotations

import sys
from typing import Any

from armlab.data.survey_text import before_training
from armlab.training.run import Run
from armlab.training.run_files import Row

HEADER = "epoch   step     loss   learning rate    mIoU   A against B   images/s   seconds"
COMPARISON = "attention    mIoU   A against B   parameters   seconds"
TOLD = "   A against B"  # a column of data in which two classes differ by their context alone
EMULATED = "device emulated: CuPy runs on a CUDA device in software, slowly, and not on a GPU"


class TerminalRunProgress:
    """A row for each epoch; progress as a bar on a terminal and as plain lines elsewhere."""

    def __init__(
        self, rows: bool = True, label: str = "", bar: bool = True, described: bool = False
    ) -> None:
        self.rows = rows  # False where standard output is to hold something else
        self.label = label  # what progress is called; else by the attention
        self.may_draw_bar = bar  # False where several write to one terminal
        self.described = described  # the data: said already, by another run of a grid
        self.context = False  # whether the data have classes that context alone tells apart
        self._name = ""
        self._bar: Any = None

    def begin(self, run: Run) -> None:
        config, size = run.config, run.learner.parameter_count
        self.context = bool(run.dataset.told_apart)
        self._describe(run)
        self._name = self.label or config.attention
        if config.device == "emulated":
            print(f"{self._name}: {EMULATED}", file=sys.stderr, flush=True)
        if run.drawn_anew:
            print(f"{self._name}: {drawn_words(run)}", file=sys.stderr, flush=True)
        self._bar = _bar(run, self._name) if self.may_draw_bar and sys.stderr.isatty() else None
        self._say(
            f"attention {config.attention}: {size:,} parameters, {config.backend} on "
            f"{config.device}, {config.dtype}, {config.steps} steps of {config.batch} images"
        )
        self._say(headed(HEADER, self.context))
        for row in run.history:  # of a run that goes on
            self._say(as_text(row, self.context))

    def step(self, run: Run, loss: float | None) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(_now(run, loss), refresh=False)
            self._bar.update()

    def epoch(self, run: Run, row: Row) -> None:
        self._say(as_text(row, self.context))
        if self._bar is None:
            words = f"{self._name}: step {run.step} of {run.config.steps}"
            print(f"{words}, loss {three(row['loss'])}", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _describe(self, run: Run) -> None:
        """What was found in a folder, once, however many runs begin on it."""
        if run.dataset.survey and not self.described:
            for line in before_training(run.dataset.survey):
                print(f"data: {line}", file=sys.stderr, flush=True)
        self.described = True

    def _say(self, line: str) -> None:
        if not self.rows:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line)  # above the bar, on standard output


def drawn_words(run: Run) -> str:
    """Which weights a run did not take from where it began."""
    keys, classes = run.drawn_anew, run.config.classes
    return f"{run.config.weights} has no head for {classes} classes, drawn anew: {', '.join(keys)}"


def headed(header: str, context: bool) -> str:
    """The head of a table, without the column that would hold dashes alone."""
    return header if context else header.replace(TOLD, "")


def told_apart(row: Row, context: bool) -> str:
    """What stands in that column."""
    return f"{three(row['told_apart']):>{len(TOLD)}}" if context else ""


def as_text(row: Row, context: bool = True) -> str:
    """One epoch under HEADER."""
    return (
        f"{row['epoch']:5d} {row['step']:6d} {or_dash(row['loss'], '.4f'):>8} "
        f"{row['learning_rate']:15.2e} {three(row['miou']):>7}{told_apart(row, context)} "
        f"{or_dash(row['images_per_second'], '.1f'):>10} {row['seconds']:9.1f}"
    )


def _now(run: Run, loss: float | None) -> str:
    """What stands behind the bar: this step, the last evaluation, and the speed of this epoch."""
    words = [f"loss {three(loss)}"]
    words += [f"mIoU {three(row['miou'])}" for row in run.history[-1:]]
    speed = run.images_per_second
    return ", ".join(words if speed is None else [*words, f"{speed:.3g} images/s"])


def comparison_text(results: dict[str, dict[str, Any]], context: bool = True) -> str:
    """The closing table: what attention changed."""
    lines = [headed(COMPARISON, context)]
    for name, r in results.items():
        lines.append(
            f"{name:<9} {three(r['miou']):>7}{told_apart(r, context)} "
            f"{r['parameters']:12,d} {r['seconds']:9.1f}"
        )
    return "\n".join(lines)


def skipped_text(results: dict[str, dict[str, Any]]) -> list[str]:
    """A sentence for each run that left batches out."""
    return [
        f"{name}: {r['skipped']} of {r['steps']} batches had no counted pixel and were skipped"
        for name, r in results.items()
        if r["skipped"]
    ]


def three(value: float | None) -> str:
    """Three decimals; None, of pixels of which none were found or counted, is -."""
    return or_dash(value, ".3f")


def or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _bar(run: Run, label: str) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=run.config.steps,
        initial=run.step,
        desc=label,
        bar_format="{desc} {bar:20} {n_fmt} of {total_fmt}{postfix}, {remaining} left",
        file=sys.stderr,
        leave=False,
        dynamic_ncols=True,
    )
