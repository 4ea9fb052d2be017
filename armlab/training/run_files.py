"""The files in a run's folder, and the sentences for what will not do with them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from armlab.training.checkpoint import CHECKPOINT, CheckpointError
from armlab.training.settings import ABOUT
from armlab.whole_file import write_whole

CONFIG, HISTORY = "config.json", "history.csv"
DATA = "data.json"  # what was found in a folder, as `armlab data --json` prints it
LAST_PICTURE = "attention.png"  # a run that has it has nothing left to do
Row = dict[str, Any]  # one epoch: see `epoch`
COLUMNS = ("epoch", "step", "loss", "learning_rate", "miou", "told_apart") + (
    "images_per_second",
    "seconds",
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
    return RuntimeError(
        f"cannot write into {folder}: {error.strerror or error}; choose another folder with --out"
    )
