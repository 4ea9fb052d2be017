"""The lessons: their notebooks, their exercises, and (marker lessons) each of them executed."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lesson_tools import (
    BOOKS,
    CHAPTERS,
    EVENING,
    EXERCISES,
    LESSONS,
    NUMBERED,
    TAUGHT,
    Asked,
    copied,
    exercises,
    graded,
    notebooks,
    outputs,
    printed,
    run,
    tagged,
    written,
)
from wrong_answers import WRONG
from wrong_answers.gpu import in_a_tree

from armlab.emulator import why_not
from armlab.exercises import EXERCISES as KNOWN
from armlab.exercises.grade import Grade, grade

ANSWER = "<details><summary>Answer</summary>"
ABSOLUTE = re.compile(r"(?<![\w.)])/(home|root|tmp|usr|work|var|Users)/|[A-Z]:\\")


def tried(name: str, answer: Callable[..., Any]) -> Grade:
    """The outcome for an answer; where it cannot be tried the test is skipped, and says why.

    `make graded` measures how long that takes: 3 seconds for a right answer and 6 for a wrong one
    at most. Twice as long is a mistake here too, whatever else the machine does.
    """
    outcome, seconds = graded(name, answer)
    if not outcome.tried:
        pytest.skip(outcome.text)
    assert seconds < (6 if outcome.passed else 12)
    return outcome


def name_of(asked: Asked) -> str:
    return asked.name


# -- the notebooks ----------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", BOOKS)
def test_notebook_is_what_its_source_gives(lesson: str) -> None:
    made = (LESSONS / f"{lesson}.ipynb").read_text(encoding="utf-8")
    assert made == notebooks.text(LESSONS / f"{lesson}.py"), "out of date: run  make notebooks"
    assert len(made.encode()) < 100_000


def test_there_is_no_notebook_without_a_source() -> None:
    assert {path.stem for path in LESSONS.glob("*.ipynb")} == set(BOOKS)


@pytest.mark.parametrize("lesson", BOOKS)
def test_links_lead_to_files(lesson: str) -> None:
    text = "\n".join(c.source for c in BOOKS[lesson].cells if c.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    missing = [link for link in links if "://" not in link and not (LESSONS / link).is_file()]
    assert not missing


@pytest.mark.parametrize("lesson", TAUGHT)
def test_form_of_a_lesson(lesson: str) -> None:
    cells = BOOKS[lesson].cells
    header = cells[0].source
    for part in (
        "**Goal.**",
        "Time",
        "You need first",
        "Afterwards you can",
        "Runs on",
        "Explains",
    ):
        assert part in header
    footer = cells[-1].source
    assert 3 <= footer.count(ANSWER) <= 5
    assert "## Terms" in footer
    assert re.search("[\u4e00-\u9fff]", footer), "the terms have their Chinese names"
    assert "## What comes next" in footer
    text = "\n".join(cell.source for cell in cells)
    assert text.count("**Predict.**") >= 3
    assert exercises(lesson)
    assert sum("ipywidgets.interact" in cell.source for cell in cells) <= 1
    assert not ABSOLUTE.search(text)
    assert len((LESSONS / f"{lesson}.py").read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize("lesson", TAUGHT)
def test_answer_to_a_prediction_is_read_when_it_is_unfolded(lesson: str) -> None:
    for cell in BOOKS[lesson].cells[:-1]:
        parts = cell.source.split("**Predict.**")[1:]
        assert all(part.count(ANSWER) == 1 for part in parts), cell.source


@pytest.mark.parametrize("lesson", NUMBERED)
def test_form_of_a_numbered_lesson(lesson: str) -> None:
    cells = BOOKS[lesson].cells
    title = re.match(r"# (\d+)([a-z]) · (.*)", cells[0].source)
    assert title
    assert lesson.startswith(f"{int(title[1]):02d}{title[2]}_")
    minutes = re.search(r"\| Time \| (\d+) minutes", cells[0].source)
    assert minutes
    assert int(minutes[1]) <= 60
    row = f"| {title[1]}{title[2]} | [{title[3]}]({lesson}.ipynb) | {minutes[1]} |"
    assert row in BOOKS["index"].cells[0].source


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_form_of_a_chapter(chapter: str) -> None:
    cells = [cell for lesson in CHAPTERS[chapter] for cell in BOOKS[lesson].cells]
    assert any("ipywidgets.interact" in cell.source for cell in cells)
    if chapter != "E":
        assert sum(len(exercises(lesson)) for lesson in CHAPTERS[chapter]) >= 3
        assert any("Find the bug" in cell.source for cell in cells)


def test_form_of_the_evening() -> None:
    assert len(exercises(EVENING)) == 2
    assert f"]({EVENING}.ipynb)** (90 minutes)" in BOOKS["index"].cells[0].source
    assert "| Time | 90 minutes |" in BOOKS[EVENING].cells[0].source


# -- the equations ----------------------------------------------------------------------------


def tags(chapter: str) -> list[str]:
    """The numbers of the equations of a chapter, as they follow each other."""
    cells = [cell for lesson in CHAPTERS[chapter] for cell in BOOKS[lesson].cells]
    return [tag for cell in cells for tag in re.findall(r"\\tag\{(.*?)\}", cell.source)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_equations_have_each_a_number_of_their_own(chapter: str) -> None:
    """(4.3) is the third of chapter 4, in whichever of its lessons, and (d4.3) its gradient."""
    found = tags(chapter)
    own = [tag for tag in found if not tag.startswith("d")]
    assert own == [f"{chapter}.{n}" for n in range(1, len(own) + 1)]
    assert len(set(found)) == len(found)
    assert {tag[1:] for tag in found if tag.startswith("d")} <= set(own)


@pytest.mark.parametrize("lesson", TAUGHT)
def test_equations_that_are_referred_to_exist(lesson: str) -> None:
    known = {tag for chapter in CHAPTERS for tag in tags(chapter)}
    cells = BOOKS[lesson].cells
    text = "\n".join(
        "".join(re.findall("#.*", cell.source)) if cell.cell_type == "code" else cell.source
        for cell in cells
    )
    named = re.findall(r"\((d?(?:\d\d?|E)\.\d\d?)\)", text)
    assert named
    assert set(named) <= known


# -- the exercises ----------------------------------------------------------------------------


@pytest.mark.parametrize("asked", EXERCISES, ids=name_of)
def test_exercise_is_asked_as_it_is_graded(asked: Asked) -> None:
    assert re.search(r"[★☆]{3} · \d+ minutes", asked.heading)
    assert asked.name == asked.function
    call = KNOWN[asked.name].call.split(" ->")[0]
    assert f"def {call}:" in asked.stub
    assert f"def {call}:" in asked.solution


@pytest.mark.parametrize("asked", EXERCISES, ids=name_of)
def test_stub_is_not_written_yet(asked: Asked) -> None:
    outcome = grade(asked.name, written(asked.stub, asked.function))
    assert not outcome.passed
    assert "not written yet" in outcome.text
    assert KNOWN[asked.name].call in outcome.text


@pytest.mark.parametrize("asked", EXERCISES, ids=name_of)
def test_solution_passes(asked: Asked) -> None:
    outcome = tried(asked.name, written(asked.solution, asked.function))
    assert outcome.passed, outcome.text


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [(name, answer, hint) for name, answers in WRONG.items() for answer, hint in answers],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_answer_gets_its_hint(name: str, answer: Callable[..., Any], hint: str) -> None:
    outcome = tried(name, answer)
    assert not outcome.passed
    assert "the smallest counterexample" in outcome.text
    assert hint in outcome.hint
    assert outcome.hint in outcome.text


def test_kernel_that_adds_up_in_a_tree_passes() -> None:
    outcome = tried("channel_dot", in_a_tree())
    assert outcome.passed, outcome.text


def test_no_two_exercises_have_one_name() -> None:
    names = [asked.name for asked in EXERCISES]
    assert sorted(names) == sorted(set(names)) == sorted(KNOWN)


def test_every_exercise_of_the_lessons_has_a_wrong_answer() -> None:
    assert {asked.name for asked in EXERCISES} == set(WRONG)


# -- executed ---------------------------------------------------------------------------------


@pytest.mark.lessons
@pytest.mark.parametrize("lesson", BOOKS)
def test_lesson_runs_with_its_solutions(lesson: str, tmp_path: Path) -> None:
    book = copy.deepcopy(BOOKS[lesson])
    for asked in exercises(lesson):
        book.cells[asked.at].source = asked.solution
    cells = run(book, copied(tmp_path))
    for asked in exercises(lesson):
        outcome = printed([cells[asked.at + 2]])
        assert outcome.startswith(f"✓ {asked.name}") or (
            why_not() and outcome.startswith(f"– {asked.name}: not tried: ")
        )
    assert printed(cells, "stderr") == ""
    assert not [out for out in outputs(cells) if out.output_type == "error"]
    assert not ABSOLUTE.search(printed(cells))
    assert "✗" not in printed(cells)
    if lesson != "index":
        pictured = [["image/png" in o.get("data", {}) for o in outputs([cell])] for cell in cells]
        assert sum(map(sum, pictured)) >= 3
        for at in (i for i, cell in enumerate(cells) if "ipywidgets.interact" in cell.source):
            before = max(i for i in range(at) if cells[i].cell_type == "code")
            assert any(pictured[before]), "a static picture stands before the widget"


@pytest.mark.lessons
@pytest.mark.parametrize("lesson", TAUGHT)
def test_exercise_cells_run_with_their_stubs(lesson: str, tmp_path: Path) -> None:
    book = copy.deepcopy(BOOKS[lesson])
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    asked_or_checked = [c for c in code if tagged(c, "exercise") or tagged(c, "check")]
    book.cells = [code[0], *asked_or_checked]
    cells = run(book, copied(tmp_path))
    texts = [printed([cell]) for cell in cells if tagged(cell, "check")]
    for asked, text in zip(exercises(lesson), texts, strict=True):
        assert text.startswith(f"○ {asked.name}: not written yet. Fill in {asked.name}(")
    assert printed(cells, "stderr") == ""


NO_DEVICE = """
from armlab import emulator
from armlab.exercises import cuda
cuda.card_answers = lambda: False
emulator.why_not = lambda: "there is none in this test"
"""


@pytest.mark.lessons
@pytest.mark.parametrize(
    ("lesson", "said", "told", "not_tried"),
    [
        ("11a_gpu", "this lesson runs on array_api_strict", 1, []),
        ("11b_kernels", "launches are counted on the emulated device alone", 6, ["channel_dot"]),
        ("11c_rounding_and_dlpack", "one memory: True", 0, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_gpu_lesson_runs_where_there_is_no_cuda_device(
    lesson: str, said: str, told: int, not_tried: list[str], tmp_path: Path
) -> None:
    """A lesson says why there is none each time that it would need one, `told` times in all."""
    book = copy.deepcopy(BOOKS[lesson])
    for asked in exercises(lesson):
        book.cells[asked.at].source = asked.solution
    book.cells.insert(0, nbformat.v4.new_code_cell(NO_DEVICE))
    cells = run(book, copied(tmp_path))
    text = printed(cells)
    assert said in text
    assert text.count("there is none in this test") == told
    assert all(f"– {name}: not tried: " in text for name in not_tried)
    assert text.count("✓") == len(exercises(lesson)) - len(not_tried)
    assert printed(cells, "stderr") == ""
