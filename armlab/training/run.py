"""One training run: its state between two steps, and the folder that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from armlab.data import Dataset
from armlab.data.survey_text import as_dict
from armlab.hand.group import Group
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.learner import Learner, join_state, split_state
from armlab.training.memory_needed import expect_memory
from armlab.training.run_files import (
    CONFIG,
    DATA,
    HISTORY,
    Row,
    cannot_write,
    expect_run,
    expect_unedited,
    refuse_earlier_run,
    write_history,
    write_json,
)
from armlab.training.start import (
    expect_installed,
    loss_weights,
    make_dataset,
    make_learner,
    moved,
)
from armlab.training.threads import expect_cores
from armlab.training.trained_weights import first_weights
from armlab.whole_file import FilePath

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
    losses: list[float | None] = field(default_factory=list)  # of the epoch so far; None: skipped
    step_seconds: float = 0.0  # of its steps alone that were not
    history: list[Row] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)  # counts of the last evaluation
    drawn_anew: list[str] = field(default_factory=list)  # keys that config.weights did not give
    gates: list[np.ndarray] = field(default_factory=list)  # of the images shown, after each epoch
    group: Group | None = None  # of the ranks that train it, this one being rank 0

    @classmethod
    def start(cls, config: Config, folder: FilePath, group: Group | None = None) -> Run:
        """A new run. Raises RuntimeError for a folder that cannot be written or holds a run."""
        folder = Path(folder)
        refuse_earlier_run(folder)
        expect_installed(config)
        expect_cores(config.threads)
        expect_memory(config)
        dataset = make_dataset(config)
        learner = make_learner(config, loss_weights(config, dataset), group)
        run = cls(config, folder, dataset, learner, group=group)
        if config.weights:
            run.begin_with_weights()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            run.save()
            run.write_config()
            if dataset.survey:
                write_json(folder / DATA, as_dict(dataset.survey))
        except OSError as error:
            raise cannot_write(folder, error) from error
        return run

    @classmethod
    def resume(
        cls, folder: FilePath, data: FilePath | None = None, group: Group | None = None
    ) -> Run:
        """The run as its checkpoint has it.

        data  the folder of its images, where it has moved; the checkpoint has this one from now on

        Raises CheckpointError for one that is missing, damaged, or of something else, RuntimeError
        where the data are no longer those that it began with and where config.json was edited.
        """
        folder = Path(folder)
        path = folder / CHECKPOINT
        arrays, kept = checkpoint.load(path)
        with expect_run(path):
            config, fingerprint = Config(**kept["config"]), kept["fingerprint"]
        if data is not None:
            config = moved(config, data)
        dataset = make_dataset(config)
        if dataset.fingerprint != fingerprint:
            raise RuntimeError(
                f"the files in {config.data} are not those that the run in {folder} began with: "
                "put them back as they were, or begin a new run"
            )
        learner = make_learner(config, loss_weights(config, dataset), group)
        run = cls(config, folder, dataset, learner, group=group)
        with expect_run(path):
            run.gates = list(arrays.pop(GATES))
            run.learner.load_state_dict(arrays)
            for name in KEPT:
                setattr(run, name, kept[name])
            run.drawn_anew = kept.get("drawn_anew", [])  # checkpoints of before have none
            for row in run.history:  # written by an armlab that noted NaN where nothing counts
                row.update({key: None for key, value in row.items() if value != value})
        expect_unedited(folder / CONFIG, kept["config"])
        if data is not None:
            run.save()
            run.write_config()
        return run

    def write_config(self) -> None:
        """The settings for people and other programs to read. Those of the checkpoint rule."""
        with self.written():
            write_json(self.folder / CONFIG, self.config.to_dict())

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
                    f"{self.kept()}; begin a new run with a smaller --learning-rate"
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

    @property
    def trained(self) -> list[float]:
        """The losses of the epoch so far, without the batches that were skipped."""
        return [loss for loss in self.losses if loss is not None]

    @property
    def images_per_second(self) -> float | None:
        """In the epoch so far; None before its first batch with a counted pixel."""
        found = self.trained
        return len(found) * self.config.batch / self.step_seconds if found else None

    def result(self) -> dict[str, Any]:
        """The last evaluation, and what it took. None where nothing was counted."""
        last = {key: self.history[-1][key] for key in ("miou", "told_apart", "seconds")}
        speeds = [row["images_per_second"] for row in self.history if row["images_per_second"]]
        return last | {
            "seconds_per_step": self.config.batch / median(speeds) if speeds else None,
            "parameters": self.learner.parameter_count,
            "steps": self.step,
            "skipped": sum(row.get("skipped", 0) for row in self.history),  # once not noted
            "device": self.config.device,
        }

    def kept(self) -> str:
        """Words for an error: which checkpoint is left."""
        path = self.folder / CHECKPOINT
        return f"the last good checkpoint is kept in {path}"
