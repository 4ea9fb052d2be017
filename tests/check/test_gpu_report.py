"""The report of `make gpu` and `make emulated`: its title, what it runs, when it says FAILED."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from armlab.check.cases import CASES
from armlab.places import HOST
from armlab.report import (
    command,
    device,
    error_rows,
    gpu_report,
    gpu_tables,
    measured,
    page,
    part,
    parts,
    sanitized,
    sanitizer,
)
from armlab.report.command import Ran

ROOT = Path(__file__).parents[2]
RUNS = {
    name: {"miou": 0.5, "told_apart": 0.25, "parameters": 7, "seconds": 1.0}
    for name in ("none", "arm")
}
RELU = {"function": "relu", "part": "forward", "on": [8, 64, 64, 64], "read": 8000, "written": 4000}
NO_TIME, NO_STEP = dict.fromkeys(("us", "gbps", "share")), {"ms": None, "launches": None}
TOY = {"net": "ToyNet", "on": [8, 3, 64, 64]}
COUNTS = {"hand": 94, "reference": 1769, "torch": 79}
MS = {"hand": 2.5, "reference": 44.0, "torch": 3.125}
ERRORS = [
    {"module": "relu", "dtype": dtype, "result": result, "hand_ratio": ratio, "holds": True}
    for dtype in ("float32", "float64")
    for result, ratio in (("y", 0.25), ("dx", 0.5))
]


def printed(*rows, code=0, **more):
    """A command that printed a line of JSON for each row."""
    return Ran(code, "".join(json.dumps(row) + "\n" for row in rows), "", 1.0, **more)


HEAD = {"copy_gbps": 2000.0}
TIMED = RELU | {"us": 12.0, "gbps": 1000.0, "share": 0.5, "launches": None}
GOOD = {  # what each command prints, by what it is; a test puts others in their place
    "tests": Ran(0, "....\n12 passed in 3.4s\n\n", "", 3.4),
    "training": Ran(0, json.dumps({"runs": RUNS}), "", 5.0),
    "bandwidth": printed(HEAD, TIMED),
    "steps": printed(TOY | {"ms": MS, "launches": None}),
    "errors": printed(*ERRORS),
    "memcheck": Ran(0, "23 of 23 results\n========= ERROR SUMMARY: 0 errors\n", "", 9.0),
    "racecheck": Ran(0, "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors)", "", 9.0),
    "emulated bandwidth": printed({"copy_gbps": None}, RELU | NO_TIME | {"launches": 3}),
    "emulated steps": printed(TOY | {"ms": None, "launches": COUNTS}),
}
MODULES = {
    "pytest": "tests",
    "armlab": "training",
    "armlab.bench.bandwidth": "bandwidth",
    "armlab.bench.card_steps": "steps",
    "armlab.report.error_rows": "errors",
}
PROGRAM = "/bin/compute-sanitizer"


@pytest.fixture
def reported(monkeypatch, tmp_path, capsys):
    """The exit code, file, page and commands of a report, with nothing run for real."""

    def reported(*arguments, program=PROGRAM, xdist=True, exclusive=False, **wrong):
        commands, environments = [], []

        def run(words, seconds=None, environment=None, aloud=True):
            assert seconds > 0
            commands.append(words)
            environments.append(environment)
            kind = words[2] if words[0] == program else MODULES[words[2]]
            kind = "emulated " * ("emulated" in words) + kind
            given = wrong.get(kind, GOOD.get(kind) or GOOD[kind.removeprefix("emulated ")])
            if isinstance(given, Exception):
                raise given
            return given

        monkeypatch.chdir(tmp_path)
        (tmp_path / "tests").mkdir(exist_ok=True)
        monkeypatch.setattr(gpu_report, "place", lambda device: HOST)
        monkeypatch.setattr(page, "_device_line", lambda device: "- device: X")
        for module in (parts, measured, sanitizer):
            monkeypatch.setattr(module, "run", run)
        monkeypatch.setattr(sanitizer, "found", lambda: program)
        monkeypatch.setattr(parts, "_is_exclusive", lambda: exclusive)
        find = lambda name: xdist if name == "xdist" else None  # noqa: E731
        monkeypatch.setattr(parts, "find_spec", lambda name: find(name) or None)
        code = gpu_report.main(arguments)
        (file,) = tmp_path.glob("*.md")
        text = file.read_text(encoding="utf-8")
        assert f"written to {file.name}: " in capsys.readouterr().out
        file.unlink()
        reported.environments = environments
        return code, file.name, text, commands

    return reported


def test_of_the_emulated_device_it_says_so_in_its_title(reported):
    code, name, page, (steps, bandwidth, training, tests, errors) = reported("--device", "emulated")
    assert (code, name) == (0, "emulated-report.md")
    assert page.splitlines()[0] == "# Run on the emulated device, not a GPU: all well"
    assert "made by `make emulated`" in page
    assert tests[2:8] == ["pytest", "-q", "-m", "emulated", "--device", "emulated"]
    assert training[2:7] == ["armlab", "train", "--backend", "cupy", "--device"]
    assert "--steps" in training
    assert bandwidth[2:] == ["armlab.bench.bandwidth", "--device", "emulated"]
    assert steps[2:5] == ["armlab.bench.card_steps", "--device", "emulated"]
    assert errors[2:5] == ["armlab.report.error_rows", "--device", "emulated"]
    assert "| relu | float32 | dx | 0.50 |" in page


def test_of_the_emulated_device_no_time_of_a_kernel_or_step_is_written(reported):
    _, _, page, _ = reported("--device", "emulated")
    assert "| relu, forward | 8×64×64×64 | 8,000 | 4,000 | 3 |\n" in page
    assert "| ToyNet | 8×3×64×64 | 94 | 1,769 | 79 |\n" in page
    assert page.count(gpu_tables.NO_TIMES) == 2
    measured = page.partition("## Steps")[2].partition("## compute-sanitizer")[0]
    assert "## Bandwidth" in measured
    assert not any(unit in measured for unit in ("GB/s", "µs", "ms "))
    assert sanitizer.NO_CARD in page


def test_of_a_gpu(reported):
    code, name, page, commands = reported()
    assert (code, name) == (0, "gpu-report.md")
    assert page.splitlines()[0] == "# Run on a GPU: all well"
    steps, bandwidth, memcheck, racecheck, training, tests, errors, *watched = commands
    *watched, counted_steps, counted_calls = watched
    assert steps[2:] == ["armlab.bench.card_steps", "--device", "cuda"]
    assert bandwidth[2:] == ["armlab.bench.bandwidth", "--device", "cuda"]
    assert [words[:3] for words in (memcheck, racecheck)] == [
        [PROGRAM, "--tool", tool] for tool in ("memcheck", "racecheck")
    ]
    assert memcheck[-1] == racecheck[-1] == "armlab.report.sanitized"
    assert training[2:] == ["armlab", "train", "--backend", "cupy", "--device", "cuda", "--json"]
    assert tests[2:8] == ["pytest", "-q", "-m", "gpu", "--device", "cuda"]
    assert errors[2:] == ["armlab.report.error_rows", "--device", "cuda", "--examples", "30"]
    assert counted_steps[2:] == ["armlab.bench.card_steps", "--device", "emulated"]
    assert counted_calls[2:] == ["armlab.bench.bandwidth", "--device", "emulated"]
    assert page.count("| relu | float") == 2
    assert "12 passed in 3.4s" in page
    assert "| arm | 0.500 | 0.250 | 7 | 1.0 |" in page
    assert "reads and writes 2000 GB/s" in page
    assert "| relu, forward | 8×64×64×64 | 8,000 | 4,000 | 12.0 | 1000 | 50% |\n" in page
    assert "| relu, forward | 8×64×64×64 | 8,000 | 4,000 | 3 |\n" in page
    assert "| ToyNet | 8×3×64×64 | 2.50 | 44.00 | 3.12 |\n" in page
    assert "| ToyNet | 8×3×64×64 | 94 | 1,769 | 79 |\n" in page
    assert "- memcheck, one call of every kernel: ERROR SUMMARY: 0 errors\n" in page
    assert "- racecheck, one call of every kernel: RACECHECK SUMMARY: 0 hazards" in page
    assert not any(word in page for word in ("Failed", "Not ", "Stopped"))


def test_the_examples_are_watched_some_functions_at_a_time_and_each_once(reported):
    _, _, _, commands = reported("--parts", "sanitizer-examples")
    for tool in ("memcheck", "racecheck"):
        groups = [words for words in commands if words[2] == tool]
        names = [words[words.index("armlab.report.sanitized") + 1 :] for words in groups]
        assert [name for group in names for name in group] == sanitized.names()
        assert max(map(len, names)) <= 8


def test_tests_share_a_card_and_its_memory_where_that_can_be(reported, monkeypatch):
    monkeypatch.delenv("CUPY_GPU_MEMORY_LIMIT", raising=False)
    limit = "CUPY_GPU_MEMORY_LIMIT"
    ((*_, tests),) = (reported("--parts", "tests")[3],)
    assert tests[tests.index("--maxprocesses") + 1] == "4"
    assert reported.environments[-1][limit] == "20%"
    for alone in ({"exclusive": True}, {"xdist": False}):
        ((*_, tests),) = (reported("--parts", "tests", **alone)[3],)
        assert "-n" not in tests
        assert limit not in reported.environments[-1]
    monkeypatch.setenv(limit, "1000000")
    reported("--parts", "tests")
    assert reported.environments[-1][limit] == "1000000"


CRASH = Ran(-11, "", "Segmentation fault\n", 1.0)
SICK = RELU | {"part": "backward", "failed": "CUDARuntimeError: illegal address"}
LATE = Ran(-11, GOOD["bandwidth"].output, "Segmentation fault\n", 1.0)
RACE = "========= Error: Race reported\n========= RACECHECK SUMMARY: 2 hazards displayed"
WRONG = {  # what goes wrong, the part that is then named, what stands there
    "tests fail": (
        {"tests": Ran(1, "FAILED tests/a.py::b - no\n1 failed\n", "", 1.0)},
        "tests",
        "1 failed\n- `FAILED tests/a.py::b - no`",
    ),
    "no pytest": (
        {"tests": Ran(1, "", "No module named pytest\n", 0.1)},
        "tests",
        "No module named pytest",
    ),
    "training": (
        {"training": Ran(1, "", "it went wrong\n", 5.0)},
        "training",
        "The training failed: it went wrong",
    ),
    "beyond a bound": (
        {"errors": printed(ERRORS[0], ERRORS[1] | {"hand_ratio": 1.5, "holds": False}, code=1)},
        "errors",
        "| relu | float32 | dx | 1.50 |",
    ),
    "no hypothesis": (
        {"errors": Ran(1, "", "ModuleNotFoundError: No module named 'hypothesis'\n", 1.0)},
        "errors",
        "This part failed: RuntimeError: exit 1: ModuleNotFoundError: No module named 'hypothesis'",
    ),
    "a crash": (
        {"bandwidth": CRASH},
        "bandwidth",
        "This part failed: RuntimeError: exit -11: Segmentation fault",
    ),
    "a crash in the middle": (
        {"bandwidth": LATE},
        "bandwidth",
        "12.0 | 1000 | 50% |\n\nIt ended too early, with exit -11: Segmentation fault",
    ),
    "a sick kernel": (
        {"bandwidth": printed(HEAD, SICK, TIMED, code=1)},
        "bandwidth",
        "| relu, backward | 8×64×64×64 | failed: CUDARuntimeError: illegal address |  |  |",
    ),
    "a sick step": (
        {"steps": printed(TOY | NO_STEP | {"failed": "OutOfMemory"}, code=1)},
        "steps",
        "| ToyNet | 8×3×64×64 | failed: OutOfMemory |",
    ),
    "no JSON": ({"steps": Ran(0, "hello\n", "", 1.0)}, "steps", "JSONDecodeError"),
    "hazards": (
        {"racecheck": Ran(86, RACE, "", 1.0)},
        "sanitizer, sanitizer-examples",
        "2 hazards displayed\n\n```\n========= Error: Race reported\n",
    ),
    "nothing counted": (
        {"emulated steps": Ran(1, "", "it needs g++\n", 0.1)},
        "launches",
        "exit 1: it needs g++",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_part_that_fails_is_named_and_the_others_are_written(case, reported):
    wrong, failed, said = WRONG[case]
    code, _, page, _ = reported(**wrong)
    assert code == 1
    assert page.splitlines()[0] == "# Run on a GPU: FAILED"
    assert f"\nFailed: {failed}.\n" in page
    sections = dict(zip(device.GPU.parts, page.split("\n## ")[1:], strict=True))
    for name, words in {
        "steps": "| 44.00 |", "bandwidth": "| 50% |", "sanitizer": "0 errors", "tests": "12 passed",
        "training": "| arm | 0.500", "errors": "dx | 0.50 |", "launches": "| 1,769 |",
        "sanitizer-examples": "0 errors",
    }.items():  # fmt: skip
        bad = name in failed.split(", ")
        assert (said if bad else words) in sections[name]


def test_without_compute_sanitizer_it_says_so(reported):
    code, _, page, commands = reported(program=None)
    assert code == 0
    assert page.count(sanitizer.ABSENT) == 2
    assert not any("--tool" in words for words in commands)


def test_where_compute_sanitizer_refuses_the_card_it_says_so_and_asks_no_more(reported):
    refused = Ran(1, "========= Error: Device not supported. Please refer to …\n", "", 1.0)
    code, _, page, commands = reported("--parts", "sanitizer", memcheck=refused)
    assert (code, len(commands)) == (0, 1)
    assert sanitizer.REFUSES in page


# -- time -----------------------------------------------------------------------------------------


def test_where_the_time_is_over_parts_say_that_they_did_not_run(reported, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(part.time, "monotonic", lambda: now[0])

    def steps(device, time):
        assert time.left() == 60 * 9
        now[0] += 60 * 9
        return part.Part(True, ["done"])

    monkeypatch.setitem(parts.PARTS, "steps", ("Steps", steps))
    code, _, page, commands = reported("--minutes", "9")
    assert (code, commands) == (1, [])
    assert page.splitlines()[0] == "# Run on a GPU: not finished"
    assert f"Not finished: {', '.join(device.GPU.parts[1:])}.\n" in page
    assert page.count(part.NO_TIME) == len(device.GPU.parts) - 1


CUT = Ran(-9, printed(HEAD, TIMED).output + '{"function": "re', "", 33.0, stopped=True)
STOPPED = {  # a part, what a command gave by the time that it was stopped, what stands there
    "bandwidth": (CUT, "| 12.0 | 1000 | 50% |\n\nStopped after 33 s"),
    "steps": (Ran(-9, "", "", 33.0, stopped=True), "Stopped after 33 s"),
    "errors": (printed(*ERRORS, code=-9, stopped=True), "| relu | float64 | dx | 0.50 |"),
    "training": (Ran(130, "", "step 7\n", 3.0, stopped=True), "It last said: step 7\n\nStopped"),
    "tests": (Ran(2, "..\n7 passed in 3s\n", "", 3.0, stopped=True), "7 passed in 3s\n\nStopped"),
    "sanitizer": (
        Ran(-9, "half", "", 3.0, stopped=True),
        "memcheck, one call of every kernel: stop",
    ),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_a_part_showed_before_it_was_stopped_is_kept(name, reported):
    ran, said = STOPPED[name]
    code, file, page, _ = reported(
        "--parts", name, **{"memcheck" if name == "sanitizer" else name: ran}
    )
    assert (code, file) == (1, f"gpu-report-{name}.md")
    assert page.splitlines()[0] == "# Run on a GPU: not finished"
    assert said in page
    assert f"\nNot finished: {name}.\n" in page


def test_a_failure_before_it_was_stopped_is_a_failure(reported):
    ran = Ran(2, "FAILED tests/a.py::b - no\n1 failed in 3s\n", "", 3.0, stopped=True)
    assert reported("--parts", "tests", tests=ran)[2].startswith("# Run on a GPU: FAILED")
    over = printed(ERRORS[0] | {"holds": False}, stopped=True)
    assert reported("--parts", "errors", errors=over)[2].startswith("# Run on a GPU: FAILED")


def test_what_is_there_is_written_before_the_next_part_begins(reported, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(device, time):
        raise Killed

    monkeypatch.setitem(parts.PARTS, "training", ("Training", killed))
    with pytest.raises(Killed):
        reported()
    text = Path("gpu-report.md").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# Run on a GPU: not finished"
    assert "Not run yet: training, tests, errors, sanitizer-examples, launches." in text
    assert "| 50% |" in text


def test_some_parts_run_in_the_order_of_all_into_a_file_of_their_own(reported):
    code, name, page, (steps, tests) = reported("--parts", "tests", "steps")
    assert (code, name) == (0, "gpu-report-steps-tests.md")
    assert steps[2] == "armlab.bench.card_steps"
    assert tests[2] == "pytest"
    assert page.splitlines()[0] == "# Run on a GPU: all well"
    assert "Not asked for: bandwidth, sanitizer, " in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--parts", "test"], "make gpu has no part test: steps, bandwidth, "),
        (["--device", "emulated", "--parts", "launches"], "make emulated has no part launches: "),
        (["--minutes", "0"], "--minutes expected more than 0, got 0: give more"),
    ],
)
def test_wrong_usage(arguments, said, capsys):
    with pytest.raises(SystemExit) as caught:
        gpu_report.main(arguments)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_it_is_written_where_one_asks_for_it(reported):
    assert reported("--out", "other.md")[1] == "other.md"


def test_where_there_is_no_device_it_is_one_line(capsys, monkeypatch, tmp_path):
    def place(device):
        raise RuntimeError(f"there is no {device}")

    monkeypatch.setattr(gpu_report, "place", place)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    assert gpu_report.main(["--device", "emulated"]) == 1
    assert capsys.readouterr().err == "no report: there is no emulated\n"


def test_the_page_says_which_card_and_which_versions(monkeypatch):
    """CuPy goes by several names; the card is that of CUDA's properties."""
    properties = {"name": b"Card 9", "major": 9, "minor": 0, "totalGlobalMem": 140 * 2**30}
    properties["multiProcessorCount"] = 132
    runtime = SimpleNamespace(
        getDeviceProperties=lambda device: properties,
        driverGetVersion=lambda: 13010,
        runtimeGetVersion=lambda: 13000,
    )
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(page, "packages_with", lambda module: {f"{module}-cuda13x": "14.2.0"})
    first, *others = page.facts(device.GPU)
    assert first == (
        "- device: Card 9, compute capability 9.0, 140 GiB, 132 multiprocessors; "
        "CUDA 13.1 of its driver, 13.0 of CuPy"
    )
    assert "- cupy-cuda13x 14.2.0" in others
    assert f"- numpy {np.__version__}" in others


# -- compute-sanitizer ----------------------------------------------------------------------------

CLEAN, ONE = "========= ERROR SUMMARY: 0 errors\n", "========= ERROR SUMMARY: 1 error\n"


@pytest.mark.parametrize(
    ("code", "output", "good"),
    [
        (0, CLEAN, True),
        (0, CLEAN * 2, True),
        (0, CLEAN + ONE, False),
        (0, ONE + CLEAN, False),  # of two processes the first
        (86, ONE, False),
        (0, "========= ERROR SUMMARY: 10 errors\n", False),
        (1, CLEAN, False),  # what it watched failed
        (0, "", False),  # it has looked at nothing
        (0, "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n", True),
        (0, "========= RACECHECK SUMMARY: 3 hazards displayed (0 errors, 3 warnings)\n", False),
    ],
)
def test_the_verdict_of_compute_sanitizer(code, output, good):
    assert sanitizer.verdict(Ran(code, output, "", 1.0))[0] == good


def test_compute_sanitizer_is_found_on_the_path_or_in_the_toolkit(monkeypatch, tmp_path):
    program = tmp_path / "bin" / "compute-sanitizer"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert sanitizer.found() == str(program)
    monkeypatch.delenv("CUDA_HOME")
    monkeypatch.setenv("PATH", str(program.parent))
    assert sanitizer.found() == str(program)


@pytest.mark.cupy
def test_what_compute_sanitizer_watches_runs_and_has_looked(cupy_device, capsys):
    assert sanitized.main(["--device", cupy_device]) == 0
    assert int(capsys.readouterr().out.split()[0]) > 50  # calls
    assert sanitized.main(["--device", cupy_device, "--examples", "1", "relu"]) == 0
    held, _, rows, *_, judged, _ = capsys.readouterr().out.split()
    assert held == rows == "4"
    assert int(judged) > 50
    assert {"relu", "conv2d", "BatchNorm2d", "CBAMSpatial"} < set(sanitized.names()) < set(CASES)


# -- rows of errors -------------------------------------------------------------------------------


@pytest.mark.cupy
def test_rows_of_errors_are_printed_as_they_come(cupy_device, capsys, monkeypatch):
    from armlab.check import table

    rows, asked = table.rows, []

    def few(examples, place, names, dtypes):
        asked.extend(names)
        yield from rows(examples, place=place, names=["relu"], dtypes=dtypes)
        raise KeyboardInterrupt  # what came before is out by then

    monkeypatch.setattr(table, "rows", few)
    options = ["--device", cupy_device, "--examples", "1", "--dtype", "float32"]
    with pytest.raises(KeyboardInterrupt):
        error_rows.main([*options, "--without-networks"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["module"], row["dtype"], row["holds"]) for row in found} == {
        ("relu", "float32", True)
    }
    assert {row["result"] for row in found} == {"y", "dx"}
    assert {"relu", "UAFMChannel"} < set(asked) < set(CASES)


# -- make gpu -------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("here", [True, False])
def test_make_gpu_takes_the_python_that_has_what_it_needs(here, tmp_path):
    """It asks for the three packages, and then neither makes an environment nor installs."""
    python = tmp_path / "python"
    asked = '[ "$2" = "import cupy, torch, array_api_compat" ]'
    says = """echo "Error: No module named 'array_api_compat'" >&2"""
    python.write_text(f"#!/bin/sh\n{asked} && {'exit 0' if here else says}\nexit 1\n")
    python.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-n", "gpu", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}", "ARGS=--minutes 9"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    used = python if here else tmp_path / "venv/bin/python"
    assert lines[-1] == f"{used} -m armlab.report.gpu_report --minutes 9"
    said = "\"Error: No module named 'array_api_compat'\", but with "
    assert any(said in line for line in lines) != here
    assert any("-m venv" in line for line in lines) != here
    assert any("install" in line for line in lines) != here


def test_it_starts_without_what_only_a_part_needs():
    """Such as Hypothesis and scikit-learn, on a machine without network."""
    absent = ("hypothesis", "pytest", "sklearn", "matplotlib", "PIL", "tqdm", "safetensors")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.modules |= dict.fromkeys({absent})\n"
            "import armlab.report.gpu_report, armlab.bench.bandwidth, armlab.bench.card_steps\n"
            "import armlab.training.torch_learner",
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_is_heard(capfd):
    ran = command.run([sys.executable, "-c", "import sys; print('a'); sys.exit('b')"])
    assert (ran.code, ran.output, ran.errors, ran.stopped) == (1, "a\n", "b\n", False)
    assert capfd.readouterr() == ("a\n", "b\n")
    code = "import os; print(os.environ['X'])"
    ran = command.run([sys.executable, "-c", code], environment={"X": "é"}, aloud=False)
    assert ran.output == "é\n"
    assert capfd.readouterr() == ("", "")


SLEEPS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("so far", flush=True)
    {then}
"""


@pytest.mark.parametrize(("then", "code"), [("raise SystemExit(3)", 3), ("time.sleep(60)", -9)])
def test_a_command_that_takes_too_long_is_interrupted_and_ended_with_all_it_started(
    then, code, monkeypatch
):
    monkeypatch.setattr(command, "GRACE", 1.0)
    ran = command.run([sys.executable, "-c", SLEEPS.format(then=then)], 2.0, aloud=False)
    child, said = ran.output.splitlines()
    assert (ran.code, said, ran.stopped) == (code, "so far", True)
    assert 2 <= ran.seconds < 20
    assert ends(int(child))


def test_a_report_that_is_ended_ends_what_it_runs(tmp_path):
    """As a job's time limit does, with SIGTERM."""
    code = f"""
import signal, sys
from armlab.report import command
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
command.run([sys.executable, "-c", {SLEEPS.format(then="")!r}])
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    process.terminate()
    assert process.wait(20) == 143
    process.stdout.close()
    assert ends(child)


def ends(pid):
    """Whether a process is gone soon, or is only waited for by nobody."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text(encoding="utf-8"):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(("mode", "exclusive"), [(0, False), (3, True)])
def test_a_card_may_be_told_to_take_one_process_at_a_time(mode, exclusive, monkeypatch):
    """By cudaComputeModeExclusiveProcess, which is 3."""
    asked = {(20, 0): mode}
    runtime = SimpleNamespace(
        deviceGetAttribute=lambda *which: asked[which], cudaDevAttrComputeMode=20
    )
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    assert parts._is_exclusive() == exclusive
