"""The lessons as the tests see them: their notebooks, and the exercises in them."""

import importlib.util
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np

from armlab.arrays import array_namespace, unbroadcast
from armlab.exercises.grade import Grade, grade

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
CHECK = re.compile(r'^check\.exercise\("(\w+)", (\w+)\)$')


def loaded(name: str) -> ModuleType:
    """A module of the lessons, which are no package."""
    spec = importlib.util.spec_from_file_location(name, LESSONS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chapter_of(stem: str) -> str:
    """The letter or number that a lesson's equations begin with: "E" or "4"."""
    return "E" if stem == EVENING else str(int(stem[:2]))


notebooks, execution = loaded("notebooks"), loaded("execution")
EVENING = "arm_in_one_evening"
BOOKS = {source.stem: notebooks.notebook(source) for source in notebooks.sources()}
TAUGHT = [stem for stem in BOOKS if stem != "index"]
NUMBERED = [stem for stem in TAUGHT if stem != EVENING]
CHAPTERS = {  # of the evening and of each chapter by its number: its lessons, in order
    chapter: [stem for stem in TAUGHT if chapter_of(stem) == chapter]
    for chapter in dict.fromkeys(map(chapter_of, TAUGHT))
}


@dataclass(frozen=True)
class Asked:
    """An exercise as it stands in a lesson: the position of its stub, and the texts around it."""

    name: str
    lesson: str
    at: int
    heading: str
    stub: str
    solution: str
    function: str


def tagged(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def exercises(lesson: str) -> list[Asked]:
    """The exercises of a lesson: a stub, its solution, its check, one after the other."""
    cells = BOOKS[lesson].cells
    found = []
    for at in [i for i, cell in enumerate(cells) if tagged(cell, "exercise")]:
        solution, checked = (
            notebooks.SOLUTION.search(cells[at + 1].source),
            CHECK.match(cells[at + 2].source),
        )
        assert solution, f"{lesson}, cell {at + 1}: expected <details> with a solution"
        assert checked, f"{lesson}, cell {at + 2}: expected check.exercise(…)"
        assert tagged(cells[at + 2], "check")
        before = "\n".join(c.source for c in cells[:at] if c.cell_type == "markdown")
        heading = before[before.rindex("### Exercise") :]
        name, function = checked.groups()
        found.append(Asked(name, lesson, at, heading, cells[at].source, solution[1], function))
    return found


EXERCISES = [asked for lesson in TAUGHT for asked in exercises(lesson)]


def written(code: str, function: str) -> Callable[..., Any]:
    """The function that a cell defines, with the names that the lessons import."""
    names = {"np": np, "unbroadcast": unbroadcast, "array_namespace": array_namespace}
    exec(code, names)
    return names[function]


def graded(name: str, answer: Callable[..., Any]) -> tuple[Grade, float]:
    """The outcome for an answer, and the seconds of the processor that it took to find."""
    began = time.process_time()
    outcome = grade(name, answer)
    return outcome, time.process_time() - began


def copied(folder: Path) -> Path:
    """The lessons with their notebooks in another folder, beside the sources they link to."""
    root = LESSONS.parent
    for name in ("lessons", "armlab"):
        ignore = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(root / name, folder / name, ignore=ignore)
    return folder / "lessons"


def run(book: nbformat.NotebookNode, folder: Path) -> list[Any]:
    """Execute a notebook on a clean kernel in this copy of the lessons; its cells with outputs."""
    execution.execute(book, folder, 300, IPYTHONDIR=str(folder.parent / "ipython"))
    return book.cells


def outputs(cells: list[Any]) -> list[Any]:
    return [out for cell in cells for out in cell.get("outputs", [])]


def printed(cells: list[Any], stream: str = "stdout") -> str:
    parts = outputs(cells)
    return "".join(o.text for o in parts if o.output_type == "stream" and o.name == stream)
