"""What is noted at the end of each epoch of a run: a row of its history."""

from __future__ import annotations

import math
import time

import numpy as np

from armlab.training.evaluation import evaluate
from armlab.training.run import Run
from armlab.training.run_files import Row


def end_epoch(run: Run) -> Row:
    """Evaluate, note the gates of the images shown, and add a row to the history.

    What there is nothing to take a mean of is None: the loss of an epoch without a counted pixel,
    the mean IoU of test images without one.
    """
    started = time.perf_counter()
    matrix = evaluate(run.learner, run.dataset)
    run.confusion = matrix.counts.tolist()
    gates = run.learner.gate(run.dataset.shown()[0])
    if gates is not None:
        run.gates.append(_small(gates))
    run.seconds += time.perf_counter() - started
    row = {
        "epoch": len(run.history) + 1,
        "step": run.step,
        "loss": sum(run.trained) / len(run.trained) if run.trained else None,
        "learning_rate": run.config.rate(run.step - 1),
        "miou": _none_if_nan(matrix.mean_iou()),
        "told_apart": _none_if_nan(matrix.accuracy_among(run.dataset.told_apart)),
        "images_per_second": run.images_per_second,
        "seconds": round(run.seconds, 2),
        "skipped": run.losses.count(None),
    }
    run.history.append(row)
    run.losses, run.step_seconds = [], 0.0
    return row


def _small(gates: np.ndarray) -> np.ndarray:
    """Gates per element, which are as many as features, as their mean over the channels."""
    per_element = gates.ndim == 4 and gates.shape[2:] != (1, 1)
    small: np.ndarray = gates.mean(axis=1, keepdims=True) if per_element else gates
    return small


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
