"""One training run: its state between two steps, and the folder that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from armlab.data import Dataset
from armlab.data.survey_text import as_dict
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.learner import Learner, join_state, split_state
from armlab.training.run_files import (
    CONFIG,
    DATA,
    HISTORY,
    Row,
    cannot_write,
    expect_run,
    refuse_earlier_run,
    write_history,
)
from armlab.training.start import make_dataset, make_learner
from armlab.training.trained_weights import first_weights
from armlab.whole_file import FilePath, write_whole

GATES = "gates"  # in the checkpoint, beside the arrays of the learner
KEPT = ("step", "seconds", "losses", "step_seconds", "history", "confusion")  # in its metadata


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
    step_seconds: float = 0.0  # of its steps alone
    history: list[Row] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)  # counts of the last evaluation
    drawn_anew: list[str] = field(default_factory=list)  # keys that config.weights did not give
    gates: list[np.ndarray] = field(default_factory=list)  # of the images shown, after each epoch

    @classmethod
    def start(cls, config: Config, folder: FilePath) -> Run:
        """A new run. Raises RuntimeError for a folder that cannot be written or holds a run."""
        folder = Path(folder)
        refuse_earlier_run(folder)
        dataset = make_dataset(config)
        run = cls(config, folder, dataset, make_learner(config, dataset))
        if config.weights:
            run.begin_with_weights()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            run.save()
            write_whole(folder / CONFIG, json.dumps(config.to_dict(), indent=2) + "\n")
            if dataset.survey:
                write_whole(folder / DATA, json.dumps(as_dict(dataset.survey), indent=2) + "\n")
        except OSError as error:
            raise cannot_write(folder, error) from error
        return run

    @classmethod
    def resume(cls, folder: FilePath) -> Run:
        """The run as its checkpoint has it.

        Raises CheckpointError for one that is missing, damaged, or of something else, RuntimeError
        where the data are no longer those that it began with.
        """
        folder = Path(folder)
        path = folder / CHECKPOINT
        arrays, kept = checkpoint.load(path)
        with expect_run(path):
            config = Config(**kept["config"])
        dataset = make_dataset(config)
        if dataset.fingerprint != kept["fingerprint"]:
            raise RuntimeError(
                f"the files in {config.data} are not those that the run in {folder} began with: "
                "put them back as they were, or begin a new run"
            )
        run = cls(config, folder, dataset, make_learner(config, dataset))
        with expect_run(path):
            run.gates = list(arrays.pop(GATES))
            run.learner.load_state_dict(arrays)
            for name in KEPT:
                setattr(run, name, kept[name])
            run.drawn_anew = kept.get("drawn_anew", [])  # checkpoints of before have none
        return run

    def begin_with_weights(self) -> None:
        """Take those of the config, from a file or a run's folder; the optimiser starts afresh."""
        net, optimiser = split_state(self.learner.state_dict())
        state, self.drawn_anew = first_weights(self.config, net)
        self.learner.load_state_dict(join_state(state, optimiser))

    def save(self) -> None:
        """Write the checkpoint and history.csv. Refuses a state that is not finite."""
        arrays = self.learner.state_dict() | {GATES: np.array(self.gates, np.float32)}
        for key, a in arrays.items():
            if not np.isfinite(a).all():
                raise TrainingError(
                    f"after step {self.step} the array {key} is not finite: "
                    f"{self.kept()}; try a smaller --learning-rate"
                )
        kept = {"config": self.config.to_dict(), "fingerprint": self.dataset.fingerprint}
        kept |= {"classes": self.dataset.classes}  # for `predict`, which has no use for the data
        kept |= {name: getattr(self, name) for name in (*KEPT, "drawn_anew")}
        checkpoint.save(self.folder / CHECKPOINT, arrays, kept)
        with self.written():
            write_history(self.folder / HISTORY, self.history)

    @contextmanager
    def written(self) -> Iterator[None]:
        """A disk that takes nothing more: RuntimeError, as what the checkpoint has is not lost."""
        try:
            yield
        except OSError as error:
            raise RuntimeError(
                f"cannot write into {self.folder}: {error.strerror or error}; the checkpoint is "
                f"kept: make room, and go on with  armlab train --resume {self.folder}"
            ) from error

    def result(self) -> dict[str, Any]:
        """The last evaluation, and what it took."""
        last = {key: self.history[-1][key] for key in ("miou", "told_apart", "seconds")}
        speed = median(row["images_per_second"] for row in self.history)
        return last | {
            "seconds_per_step": self.config.batch / speed,
            "parameters": self.learner.parameter_count,
            "steps": self.step,
            "device": self.config.device,
        }

    def kept(self) -> str:
        """Words for an error: which checkpoint is left."""
        path = self.folder / CHECKPOINT
        return f"the last good checkpoint is kept in {path}"
