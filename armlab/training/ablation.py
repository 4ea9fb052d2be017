"""A grid of runs, every attention with every seed, each an ordinary run in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.grid_run import GridProgress, Record, folder, one_by_one, side_by_side
from armlab.training.memory_needed import expect_memory
from armlab.training.run import Run
from armlab.training.run_files import (
    GRID,
    LAST_PICTURE,
    cannot_write,
    refuse_earlier_run,
    write_json,
)
from armlab.training.run_lock import one_run_in
from armlab.training.start import moved
from armlab.training.threads import expect_cores
from armlab.whole_file import FilePath


@dataclass(frozen=True)
class Grid:
    """Which runs: `config` has the settings that they share; its attention and seed do not count.

    Raises ValueError where one of the runs could not be.
    """

    config: Config
    attentions: tuple[str, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not (self.attentions and self.seeds):
            raise ValueError("expected at least one attention and one seed: name them")
        list(self.configs())

    def configs(self) -> Iterator[Config]:
        """Seed by seed, so that an interrupted grid has whole pairs to compare."""
        for seed in self.seeds:
            for attention in self.attentions:
                yield replace(self.config, attention=attention, seed=seed)

    def __len__(self) -> int:
        return len(self.attentions) * len(self.seeds)

    @property
    def settings(self) -> dict[str, Any]:
        """What all runs share, as JSON gives it back."""
        found = json.loads(json.dumps(self.config.to_dict()))
        return {name: x for name, x in found.items() if name not in ("attention", "seed")}


def begin(grid: Grid, out: Path) -> None:
    """Note the grid in its folder. One with the same settings there is taken up again.

    Its attentions and seeds may be others than before. Raises RuntimeError for other settings,
    and for a folder that holds something else or cannot be written, ValueError for a new one that
    is too large for this machine.
    """
    if (out / GRID).exists():
        before = load_grid(out).settings
        for name, value in grid.settings.items():
            if value != before.get(name):
                raise RuntimeError(
                    f"{out} holds a grid with {name} {before.get(name)}, and this one has "
                    f"{name} {value}: choose another --out, or go on with  "
                    f"armlab ablate --resume {out}"
                )
    else:
        refuse_earlier_run(out)
        expect_cores(grid.config.threads)
        expect_memory(grid.config)
    _note(grid, out)


def _note(grid: Grid, out: Path) -> None:
    kept = {"attentions": grid.attentions, "seeds": grid.seeds, "settings": grid.settings}
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / GRID, kept)
    except OSError as error:
        raise cannot_write(out, error) from error


def move_data(out: Path, data: FilePath) -> None:
    """The folder of a grid's images lies at `data` now: note it, in each of its runs as well.

    Raises RuntimeError where the files there are not those that a run began with.
    """
    grid = load_grid(out)
    there = replace(grid, config=moved(grid.config, data))
    with one_run_in(out):
        for path in (folder(config, out) for config in grid.configs()):
            if (path / CHECKPOINT).exists():
                with one_run_in(path):
                    Run.resume(path, data)
        _note(there, out)


def load_grid(out: Path) -> Grid:
    """The grid of a folder. RuntimeError where there is none, or one that cannot be read."""
    path = out / GRID
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        attentions, seeds = tuple(kept["attentions"]), tuple(kept["seeds"])
        return Grid(Config(**kept["settings"]), attentions, seeds)
    except OSError as error:
        raise RuntimeError(
            f"there is no grid to go on with in {out}: {path}: {error.strerror}; check the folder"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise RuntimeError(
            f"{path} is damaged or of another armlab ({type(error).__name__}: {error}): give the "
            "grid's options again, with another --out"
        ) from error


def run_grid(grid: Grid, out: Path, progress: GridProgress, jobs: int = 1) -> list[Record]:
    """Train what is not trained yet, `jobs` runs at a time. The records of all, in order.

    Raises what `train` and `resume` raise; what is finished by then stays finished.
    """
    with one_run_in(out):
        begin(grid, out)
        return _trained(grid, out, progress, jobs)


def _trained(grid: Grid, out: Path, progress: GridProgress, jobs: int) -> list[Record]:
    waiting, records = [], {}
    for config in grid.configs():
        record = finished(config, out)
        if record is None:
            waiting.append(config)
        else:
            records[config] = record
            progress.done(record)
    runs = one_by_one(waiting, out, progress) if jobs == 1 else side_by_side(waiting, out, jobs)
    for run in runs:
        records[run.config] = record = _record(run)
        progress.done(record)
    return [records[config] for config in grid.configs()]


def finished(config: Config, out: Path) -> Record | None:
    """The record of a run that has nothing left to do. RuntimeError for one of other settings."""
    path = folder(config, out)
    if not (path / CHECKPOINT).exists():
        return None
    run = Run.resume(path)
    if run.config != config:
        raise RuntimeError(f"{path} holds a run of other settings: choose another --out")
    done = run.step == config.steps and (path / LAST_PICTURE).exists()
    return _record(run) if done else None


def _record(run: Run) -> Record:
    return {"attention": run.config.attention, "seed": run.config.seed} | run.result()
