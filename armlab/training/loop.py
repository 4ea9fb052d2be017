"""The training loop: one page, the same for every backend."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from armlab import plots
from armlab.hand.group import Group
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.epoch import end_epoch
from armlab.training.evaluation import gallery
from armlab.training.finite import NotFinite
from armlab.training.ranks import batch_of, lead
from armlab.training.run import Run, TrainingError
from armlab.training.run_files import CONFIG, LAST_PICTURE, Row
from armlab.training.run_lock import one_run_in
from armlab.training.threads import threads
from armlab.whole_file import FilePath


class RunProgress(Protocol):
    """Who is told how a run goes."""

    def begin(self, run: Run) -> None: ...
    def step(self, run: Run, loss: float | None) -> None: ...
    def epoch(self, run: Run, row: Row) -> None: ...
    def end(self) -> None: ...


def train(
    config: Config,
    out: FilePath,
    progress: RunProgress | None = None,
    group: Group | None = None,
) -> Run:
    """A new run in the folder `out`: config.json, history.csv, checkpoint.npz and two pictures.

    group  of ranks that train it together, called by rank 0; the others call `ranks.follow`

    Raises RuntimeError where the folder or the device will not do or another run is at work
    there, TrainingError where the loss stops being finite, KeyboardInterrupt after Ctrl-C, with the
    checkpoint saved.
    """
    with one_run_in(Path(out)):
        return _go_on(Run.start(config, Path(out), group), progress)


def resume(
    out: FilePath,
    progress: RunProgress | None = None,
    data: FilePath | None = None,
    group: Group | None = None,
) -> Run:
    """Go on with the run in `out`, exactly as if it had never stopped.

    data   where its folder of images lies now, if it has moved
    group  as in `train`; of as many ranks as before, or of others: their sums round otherwise

    Raises CheckpointError where its checkpoint is missing or damaged, RuntimeError where the data
    are others.
    """
    checkpoint.expect(Path(out) / CHECKPOINT)  # before there is a lock beside it
    with one_run_in(Path(out)):
        run = Run.resume(Path(out), data, group)
        if not (run.folder / CONFIG).exists():
            run.write_config()
        return _go_on(run, progress)


def _go_on(run: Run, progress: RunProgress | None) -> Run:
    if run.group:
        lead(run.group, run.config, run.step, run.dataset, run.learner)
    if progress:
        progress.begin(run)
    try:
        with (
            threads(run.config.threads),
            np.errstate(all="ignore"),  # _step looks for NaN itself
            _delayed_interrupt() as interrupted,
        ):
            _steps(run, progress, interrupted)
    finally:
        if progress:
            progress.end()
    _draw(run)
    return run


def _steps(run: Run, progress: RunProgress | None, interrupted: threading.Event) -> None:
    while run.step < run.config.steps:
        loss = _step(run)
        if progress:
            progress.step(run, loss)
        if run.config.ends_epoch(run.step):
            row = end_epoch(run)
            run.save()
            if progress:
                progress.epoch(run, row)
        if interrupted.is_set():
            run.save()
            raise KeyboardInterrupt


def _step(run: Run) -> float | None:
    """One batch of samples that no step has seen before; its loss, None where no pixel counts.

    Such a batch is left out, and the step is counted: which samples a step has and how fast it
    learns follow from its number alone. Raises TrainingError for a NaN.
    """
    config, step, started = run.config, run.step, time.perf_counter()
    images, labels = batch_of(run.dataset, config.samples(step), run.group)
    try:
        loss = run.learner.step(images, labels, config.rate(step))
    except NotFinite as found:
        raise TrainingError(
            f"{found} is not finite in step {step + 1}: {run.kept()}; "
            "begin a new run with a smaller --learning-rate, or check the data"
        ) from None
    run.step += 1
    run.losses.append(loss)
    took = time.perf_counter() - started
    run.seconds += took
    run.step_seconds += took if loss is not None else 0.0
    return loss


@contextmanager
def _delayed_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so that no step is left half done; a second one stops at once."""
    event = threading.Event()

    def handler(signum: int, frame: Any) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _draw(run: Run) -> None:
    """The pictures of a finished run."""
    name, data, folder = run.config.attention, run.dataset, run.folder
    shown = gallery(run.learner, data)
    told = [data.classes[k] for k in data.told_apart]
    pictures = [data.picture(image) for image in shown.images]
    with run.written():
        plots.curves({name: run.history}, folder / "curves.png", told)
        plots.confusion(np.array(run.confusion), data.classes, folder / "confusion.png")
        if run.gates:
            steps = [row["step"] for row in run.history]
            plots.gates(pictures, np.stack(run.gates), steps, folder / "gates.png")
        plots.attention(
            shown.images,
            shown.labels,
            {name: shown.predictions},
            shown.gates,
            folder / LAST_PICTURE,
            data,
        )
