"""One training run: its state between two steps, and the folder that keeps it."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from armlab.data import Dataset
from armlab.training import checkpoint
from armlab.training.config import CHOICES, Config, make_dataset, make_learner
from armlab.training.evaluation import evaluate
from armlab.training.learner import Learner
from armlab.training.start import CHECKPOINT, strict_state

Row = dict[str, Any]  # one epoch: see Run.end_epoch
CONFIG, HISTORY = "config.json", "history.csv"


class TrainingError(RuntimeError):
    """Training cannot go on; the one sentence says where it stopped and what is kept."""


@dataclass
class Run:
    """Everything that the next step depends on is here and in the checkpoint."""

    config: Config
    folder: Path
    dataset: Dataset
    learner: Learner
    step: int = 0
    seconds: float = 0.0  # of training and evaluating
    losses: list[float] = field(default_factory=list)  # of the epoch so far
    history: list[Row] = field(default_factory=list)

    @classmethod
    def start(cls, config: Config, folder: Path) -> Run:
        """A new run. Raises RuntimeError for a folder that cannot be written or holds a run."""
        refuse_earlier_run(folder)
        dataset = make_dataset(config)
        run = cls(config, folder, dataset, make_learner(config, dataset))
        if config.weights:
            run.begin_with(Path(config.weights))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CONFIG).write_text(json.dumps(config.to_dict(), indent=2) + "\n")
        except OSError as error:
            raise cannot_write(folder, error) from error
        run.save()
        return run

    @classmethod
    def resume(cls, folder: Path) -> Run:
        """The run as its checkpoint has it. Raises CheckpointError for a missing or damaged one."""
        arrays, kept = checkpoint.load(folder / CHECKPOINT)
        config = Config(**kept["config"])
        dataset = make_dataset(config)
        if dataset.fingerprint != kept["fingerprint"]:
            raise RuntimeError(
                f"the files in {config.data} are not those that the run in {folder} began with: "
                "put them back as they were, or begin a new run"
            )
        run = cls(config, folder, dataset, make_learner(config, dataset))
        run.learner.load_state_dict(arrays)
        run.step, run.seconds = kept["step"], kept["seconds"]
        run.losses, run.history = kept["losses"], kept["history"]
        return run

    def begin_with(self, path: Path) -> None:
        """Take the weights of a file or of a run's folder; the optimiser starts afresh."""
        state = strict_state(path, self.learner.state_dict())
        self.learner.load_state_dict(self.learner.state_dict() | state)

    def save(self) -> None:
        """Write the checkpoint and history.csv. Refuses a state that is not finite."""
        arrays = self.learner.state_dict()
        for key, a in arrays.items():
            if not np.isfinite(a).all():
                raise TrainingError(
                    f"after step {self.step} the array {key} is not finite: "
                    f"{self.kept()}; try a smaller --learning-rate"
                )
        kept = {
            "config": self.config.to_dict(),
            "fingerprint": self.dataset.fingerprint,
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "history": self.history,
        }
        checkpoint.save(self.folder / CHECKPOINT, arrays, kept)
        try:
            write_history(self.folder / HISTORY, self.history)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def end_epoch(self) -> Row:
        """Evaluate, and add a row to the history."""
        started = time.perf_counter()
        matrix = evaluate(self.learner, self.dataset)
        self.seconds += time.perf_counter() - started
        row = {
            "epoch": len(self.history) + 1,
            "step": self.step,
            "loss": sum(self.losses) / len(self.losses),
            "learning_rate": self.config.rate(self.step - 1),
            "miou": matrix.mean_iou(),
            "told_apart": none_if_nan(matrix.accuracy_among(self.dataset.told_apart)),
            "seconds": round(self.seconds, 2),
        }
        self.history.append(row)
        self.losses = []
        return row

    def result(self) -> dict[str, Any]:
        """The last evaluation, and what it took."""
        last = {key: self.history[-1][key] for key in ("miou", "told_apart", "seconds")}
        return last | {"parameters": self.learner.parameter_count, "steps": self.step}

    def kept(self) -> str:
        """Words for an error: which checkpoint is left."""
        path = self.folder / CHECKPOINT
        return f"the last good checkpoint is kept in {path}"


def refuse_earlier_run(folder: Path) -> None:
    """An existing folder is fine; a run in it would be overwritten."""
    for part in (folder, *(folder / name for name in CHOICES["attention"])):
        for name in (CONFIG, CHECKPOINT):
            if (part / name).exists():
                raise RuntimeError(
                    f"{folder} already holds a run ({part / name}): choose another --out, "
                    f"or go on with  armlab train --resume {folder}"
                )


def write_history(path: Path, history: list[Row]) -> None:
    columns = ["epoch", "step", "loss", "learning_rate", "miou", "told_apart", "seconds"]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history)


def cannot_write(folder: Path, error: OSError) -> RuntimeError:
    return RuntimeError(
        f"cannot write into {folder}: {error.strerror or error}; choose another folder with --out"
    )


def none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
