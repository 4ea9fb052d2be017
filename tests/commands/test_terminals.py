"""Every command on a terminal that lacks ±, with names of any bytes, and into a closed pipe."""

import ast
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import armlab
from armlab import cli, terminal
from armlab.training.ablation_text import NOTES

ROOT = Path(armlab.__file__).parent
COMMANDS = sorted(path.stem for path in (ROOT / "commands").glob("[a-z]*.py"))
PROGRAMS = {  # what runs as  python -m armlab…
    path.relative_to(ROOT.parent).with_suffix("").as_posix().replace("/", "."): path
    for path in ROOT.rglob("*.py")
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
}
FAST = ["--steps", "3", "--batch", "2", "--size", "48"]
C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ENVIRONMENTS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": C | {"PYTHONWARNDEFAULTENCODING": "1"},  # warns of a file that is opened without encoding
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONIOENCODING", "PYTHONUNBUFFERED"):
        monkeypatch.delenv(name, raising=False)


def run(where, *arguments, code=0):
    """Standard output, decoded; the exit code and standard error are judged here."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        env=os.environ | ENVIRONMENTS[where],
        timeout=120,
    )
    errors = done.stderr.decode("cp1252")
    assert done.returncode == code, errors
    assert "Traceback" not in errors
    assert "codec" not in errors
    ours = [line for line in errors.splitlines() if f"{ROOT}/" in line and "Warning" in line]
    assert not ours
    return done.stdout.decode("cp1252" if where == "cp1252" else "ascii")


@pytest.mark.parametrize("where", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(where, command):
    assert "usage: " in run(where, "-m", "armlab", command, "--help")


ALONE = [name for name in PROGRAMS if "argparse" in PROGRAMS[name].read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", ALONE)
def test_help_of_a_program(name):
    assert "usage: " in run("ascii", "-m", name, "--help")


def test_each_program_is_at_a_terminal():
    talk_to_their_parent = {"armlab.bench.worker", "armlab.bench.nvrtc"}
    assert len(PROGRAMS) > 5
    for name in PROGRAMS.keys() - talk_to_their_parent:
        last = PROGRAMS[name].read_text(encoding="utf-8").rpartition('__name__ == "__main__":')[2]
        assert last.startswith("\n    with at_terminal():\n"), name


@pytest.mark.parametrize("where", ["ascii", "cp1252"])
def test_what_is_printed_without_files(where):
    table = run(where, "-m", "armlab", "check", "relu", "--examples", "5")
    assert "results, all within" in table
    assert re.search(r" - +- ok" if where == "ascii" else r" – +– ok", table)
    cost = run(where, "-m", "armlab", "cost", "ToyNet", "--size", "16x24")
    assert "3x16x24" in cost if where == "ascii" else "3×16×24" in cost


def test_runs_grids_and_pictures_with_names_of_any_bytes():
    """Where Python takes a name for bytes, and nothing says what encoding a file has."""
    name = b"bild\xff\xc3\xa9.png"
    grid = run("C", "-m", "armlab", "ablate", "--seeds", "0-1", *FAST, "--out", "gré")
    assert re.search(r"none +2 +0\.\d+ \+/- ", grid)
    assert "\nwritten to gr\\xc3\\xa9\n" in grid
    run("C", "-m", "armlab", "train", "--attention", "arm", *FAST, "--out", "läuf")
    run("C", "-m", "armlab.data.export", "--data", "digits", "--training", "2", "photos±")
    picture = next(Path("photos±/test").glob("*.png"))
    os.link(os.fsencode(picture), name)
    said = run("C", "-m", "armlab", "predict", "läuf", os.fsdecode(name))
    assert "bild\\xff\\xc3\\xa9.png, " in said
    assert "arrays" in run("C", "-m", "armlab", "convert", "läuf", "Σ.safetensors")
    run("C", "-m", "armlab", "predict", "läuf", os.fsdecode(b"missing\xfe.png"), code=1)
    run("C", "-m", "armlab", "train", "--resume", os.fsdecode(b"l\xe4uf"), code=1)
    run("C", "-m", "armlab", "check", "ECÅ", code=1)


@pytest.mark.parametrize("where", ["ascii", "cp1252"])
def test_the_grader_and_the_tracer_in_a_plain_python(where):
    start = "import numpy as np, armlab.torch as t; from armlab import check, hand;"
    wrong = "check.exercise('relu_backward', lambda dy, x: 2 * dy);"
    right = "check.exercise('relu_backward', lambda dy, x: np.where(x > 0, dy, 0));"
    trace = "check.trace(hand.ECA(4, rng=0), t.ECA(4), np.ones((2, 4, 5, 6), 'f4'))"
    said = run(where, "-c", start + wrong + right + trace)
    assert said.startswith("x relu_backward: ")
    assert "ok relu_backward: right on " in said
    assert "\\" not in said


# -- a pipe that nobody reads ------------------------------------------------------------------


def into_a_closed_pipe(*arguments, stream="stdout", lines=0):
    """The process, whose reader leaves after so many lines, and the rest of what it said."""
    reading, writing = os.pipe()
    other = "stderr" if stream == "stdout" else "stdout"
    to = {stream: writing, other: subprocess.PIPE}
    with os.fdopen(reading, "rb") as reader:
        if not lines:
            reader.close()
        process = subprocess.Popen([sys.executable, *arguments], **to)
        os.close(writing)
        for _ in range(lines):
            assert reader.readline()
    said = dict(zip(("stdout", "stderr"), process.communicate(timeout=120), strict=True))[other]
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["armlab", "--help"], 0),
        (["armlab", "info"], 0),
        (["armlab", "check", "relu", "ECA", "--examples", "5"], 1),
        (["armlab", "train", "--attention", "arm", *FAST, "--out", "run"], 1),
        (["armlab.data.export", "--data", "digits", "--training", "1", "photos"], 0),
    ],
)
def test_a_reader_who_has_left_is_no_error(arguments, lines):
    code, errors = into_a_closed_pipe("-m", *arguments, lines=lines)
    assert code == terminal.LEFT
    assert all(line.startswith("arm: step ") for line in errors.splitlines()), errors


def test_nobody_reads_standard_error():
    bad = ["armlab", "cost", "Arm", "--size", "9x9"]
    assert into_a_closed_pipe("-m", *bad, stream="stderr") == (terminal.LEFT, "")


def test_another_broken_pipe_is_said(monkeypatch, capsys):
    def broken(args):
        raise BrokenPipeError("a process has ended")

    monkeypatch.setattr(cli.info, "run", broken)
    assert cli.main(["info"]) == 1
    assert capsys.readouterr().err == "armlab: a process has ended\n"


# -- in ASCII ---------------------------------------------------------------------------------


def test_plain():
    known = {
        "0.500 ± 0.017": "0.500 +/- 0.017",
        "−0.052": "-0.052",
        "3×3 → 2⁻²⁴, x₁ and x²": "3x3 -> 2^-24, x1 and x^2",
        "σ(a) Σ": "sigma(a) sigma",
        "bär \udcff 中 \ud800": "b\\xe4r \\xff \\u4e2d \\ud800",
        "plain": "plain",
    }
    assert {text: terminal.plain(text) for text in known} == known


def texts(path):
    """The strings of a file that may be printed: all but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_each_character_that_armlab_prints_has_words_in_ascii():
    found = {char for path in ROOT.rglob("*.py") for text in texts(path) for char in text}
    special = sorted(char for char in found if not char.isascii() and char.isprintable())
    assert len(special) > 20
    unsaid = [char for char in special if "\\" in terminal.plain(char)]
    assert not unsaid, "armlab/terminal.py has no word for them"
    assert "±" in "".join(NOTES)


def test_what_somebody_has_chosen_is_kept(monkeypatch):
    chosen, untold = (
        io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=errors)
        for errors in ("replace", "strict")
    )
    monkeypatch.setattr(sys, "stdout", chosen)
    monkeypatch.setattr(sys, "stderr", untold)
    terminal.print_anything()
    for stream in (chosen, untold):
        print("1 ± 2", file=stream, flush=True)
    assert chosen.buffer.getvalue() == b"1 ? 2\n"
    assert untold.buffer.getvalue() == b"1 +/- 2\n"


@pytest.mark.parametrize("stream", [None, object(), io.StringIO()])
def test_without_a_terminal(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    with terminal.at_terminal():
        pass
