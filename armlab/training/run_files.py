"""The files in a run's folder, and the sentences for what will not do with them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from armlab.json_text import as_json
from armlab.training.checkpoint import CHECKPOINT, CheckpointError
from armlab.training.settings import ABOUT
from armlab.whole_file import write_whole

CONFIG, HISTORY = "config.json", "history.csv"
DATA = "data.json"  # what was found in a folder, as `armlab data --json` prints it
LAST_PICTURE = "attention.png"  # a run that has it has nothing left to do
COMPARISON, GRID = "comparison.json", "grid.json"
# what a folder in use is swept of
WHOLE_FILES = (CONFIG, HISTORY, DATA, CHECKPOINT, COMPARISON, GRID)
Row = dict[str, Any]  # one epoch: see `epoch`
COLUMNS = ("epoch", "step", "loss", "learning_rate", "miou", "told_apart") + (
    "images_per_second",
    "seconds",
    "skipped",
)


def refuse_earlier_run(folder: Path) -> None:
    """An existing folder is fine; a run in it would be overwritten."""
    for part in (folder, *(folder / name for name in ABOUT["attention"].choices)):
        for name in (CONFIG, CHECKPOINT):
            if (part / name).exists():
                raise RuntimeError(
                    f"{folder} already holds a run ({part / name}): choose another --out, "
                    f"or go on with  armlab train --resume {folder}"
                )


def write_history(path: Path, history: list[Row]) -> None:
    """A table for other programs, one line an epoch. Raises OSError."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(history)
    write_whole(path, text.getvalue())


def write_json(path: Path, found: Any) -> None:
    """For people and other programs, so that what is no number is None. Raises OSError."""
    write_whole(path, as_json(found, indent=2) + "\n")


def expect_unedited(path: Path, settings: dict[str, Any]) -> None:
    """Refuse a config.json with other settings than the checkpoint's, which would not be followed.

    One that is missing, or lacks a setting, is fine: nothing is read from it. Raises RuntimeError
    that names file and setting.
    """
    remedy = "remove the file to go on as the run began, or begin a new run"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        raise RuntimeError(f"cannot read {path} as JSON ({error}): {remedy}") from error
    if not isinstance(found, dict):
        raise RuntimeError(f"{path} holds no settings by name: {remedy}")
    began = json.loads(json.dumps(settings))
    for name, value in found.items():
        if name not in began:
            raise RuntimeError(f"{path} has {name!r}, which is no setting of the run: {remedy}")
        if value != began[name] or isinstance(value, bool) != isinstance(began[name], bool):
            raise RuntimeError(
                f"{path} has {name} {value!r}, and the run began with {began[name]!r}: {remedy}"
            )


@contextmanager
def expect_run(path: Path) -> Iterator[None]:
    """What fails on the contents of a whole checkpoint: they are of something else."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is whole, but not of a run that this armlab can go on with "
            f"({type(error).__name__}: {error}): use the armlab that wrote it, or begin a new run"
        ) from error


def cannot_write(folder: Path, error: OSError) -> RuntimeError:
    begun = (folder / CHECKPOINT).exists()  # --resume has no other folder
    remedy = "make it writable" if begun else "choose another folder with --out"
    return RuntimeError(f"cannot write into {folder}: {error.strerror or error}; {remedy}")
