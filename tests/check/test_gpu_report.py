"""The report of `make gpu` and `make emulated`: its title, what it runs, when it says FAILED."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from armlab.check import table
from armlab.check.cases import CASES
from armlab.places import HOST
from armlab.report import command, gpu_report, gpu_tables, parts, sanitized, sanitizer
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
BANDWIDTH = {
    "cuda": {"copy_gbps": 2000.0, "rows": [
        RELU | {"us": 12.0, "gbps": 1000.0, "share": 0.5, "launches": None}]},
    "emulated": {"copy_gbps": None, "rows": [RELU | NO_TIME | {"launches": 3}]},
}  # fmt: skip
STEPS = {
    "cuda": [TOY | {"ms": MS, "launches": None}],
    "emulated": [TOY | {"ms": None, "launches": COUNTS}],
}
GOOD = {  # what each command prints, by what it is; a test puts others in their place
    "tests": Ran(0, "....\n12 passed in 3.4s\n\n", "", 3.4),
    "training": Ran(0, json.dumps({"runs": RUNS}), "", 5.0),
    "bandwidth": None,
    "steps": None,
    "counting": None,  # of bandwidth or steps on the emulated device
    "memcheck": Ran(0, "23 of 23 results\n========= ERROR SUMMARY: 0 errors\n", "", 9.0),
    "racecheck": Ran(0, "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors)", "", 9.0),
}


@pytest.fixture
def reported(monkeypatch, tmp_path, capsys):
    """The exit code, file, page and commands of a report, with nothing run for real."""

    def reported(*arguments, ratio=0.5, program="/bin/compute-sanitizer", no_rows=None, **wrong):
        commands = []
        on = arguments[arguments.index("--device") + 1] if "--device" in arguments else "cuda"

        def run(words, seconds=None):
            commands.append(words)
            if words[0] == program:
                return outcome(words[2])
            kind = {"pytest": "tests", "armlab": "training"}.get(words[2])
            if kind is None:
                kind, known = {
                    "armlab.bench.bandwidth": ("bandwidth", BANDWIDTH),
                    "armlab.bench.card_steps": ("steps", STEPS),
                }[words[2]]
                where = words[4]
                kind = "counting" if where != on else kind
                return outcome(kind, Ran(0, json.dumps(known[where]), "", 1.0))
            return outcome(kind)

        def outcome(kind, default=None):
            given = wrong.get(kind, default or GOOD[kind])
            if isinstance(given, Exception):
                raise given
            return given

        def rows(examples, place, dtypes=("float32", "float64"), names=None):
            assert place is HOST
            assert names is None or {"relu", "UAFMChannel"} < set(names) < set(CASES)
            if no_rows:
                raise no_rows
            for dtype in dtypes:
                for result, r in (("y", ratio / 2), ("dx", ratio)):
                    yield table.ResultRow("relu", dtype, result, 0.0, r, None, None, 1.0, examples)

        monkeypatch.chdir(tmp_path)
        (tmp_path / "tests").mkdir(exist_ok=True)
        monkeypatch.setattr(gpu_report, "place", lambda device: HOST)
        monkeypatch.setattr(gpu_report, "_device_line", lambda device: "- device: X")
        monkeypatch.setattr(parts, "run", run)
        monkeypatch.setattr(sanitizer, "found", lambda: program)
        monkeypatch.setattr(table, "rows", rows)
        code = gpu_report.main(arguments)
        (file,) = tmp_path.glob("*.md")
        page = file.read_text(encoding="utf-8")
        assert f"written to {file.name}: " in capsys.readouterr().out
        file.unlink()
        return code, file.name, page, commands

    return reported


def test_of_the_emulated_device_it_says_so_in_its_title(reported):
    code, name, page, (tests, training, bandwidth, steps) = reported("--device", "emulated")
    assert (code, name) == (0, "emulated-report.md")
    assert page.splitlines()[0] == "# Run on the emulated device, not a GPU: all well"
    assert "made by `make emulated`" in page
    assert tests[2:8] == ["pytest", "-q", "-m", "emulated", "--device", "emulated"]
    assert training[2:7] == ["armlab", "train", "--backend", "cupy", "--device"]
    assert "--steps" in training
    assert bandwidth[2:] == ["armlab.bench.bandwidth", "--device", "emulated"]
    assert steps[2:5] == ["armlab.bench.card_steps", "--device", "emulated"]
    assert page.count("| relu |") == 1  # float32
    assert "| relu | float32 | dx | 0.50 |" in page


def test_of_the_emulated_device_no_time_of_a_kernel_or_step_is_written(reported):
    _, _, page, _ = reported("--device", "emulated")
    assert "| relu, forward | 8×64×64×64 | 3 | 8,000 | 4,000 |\n" in page
    assert "| ToyNet | 8×3×64×64 | 94 | 1,769 | 79 |\n" in page
    assert page.count(gpu_tables.NO_TIMES) == 2
    measured = page.partition("## Bandwidth")[2]
    assert measured
    assert not any(unit in measured for unit in ("GB/s", "µs", "ms "))
    assert sanitizer.NO_CARD in page


def test_of_a_gpu(reported):
    code, name, page, commands = reported()
    assert (code, name) == (0, "gpu-report.md")
    assert page.splitlines()[0] == "# Run on a GPU: all well"
    tests, training, *measured, memcheck, racecheck = commands
    assert tests[2:] == ["pytest", "-q", "-m", "gpu", "--device", "cuda", "tests"]
    assert training[2:] == ["armlab", "train", "--backend", "cupy", "--device", "cuda", "--json"]
    assert [words[2:] for words in measured] == [
        [f"armlab.bench.{module}", "--device", device]
        for module in ("bandwidth", "card_steps")
        for device in ("cuda", "emulated")
    ]
    assert [words[:3] for words in (memcheck, racecheck)] == [
        ["/bin/compute-sanitizer", "--tool", tool] for tool in ("memcheck", "racecheck")
    ]
    assert memcheck[-1] == "armlab.report.sanitized"
    assert page.count("| relu |") == 2
    assert "12 passed in 3.4s, 3 s" in page
    assert "| arm | 0.500 | 0.250 | 7 | 1.0 |" in page
    assert "reads and writes 2000 GB/s" in page
    assert "| relu, forward | 8×64×64×64 | 3 | 8,000 | 4,000 | 12.0 | 1000 | 50% |\n" in page
    assert "| ToyNet | 8×3×64×64 | 94 | 1,769 | 79 | 2.50 | 44.00 | 3.12 |\n" in page
    assert "- memcheck: ERROR SUMMARY: 0 errors\n" in page
    assert "- racecheck: RACECHECK SUMMARY: 0 hazards" in page
    assert "Failed" not in page
    assert "Not run yet" not in page


CRASH = Ran(-11, "", "Segmentation fault\n", 1.0)
SICK = BANDWIDTH["cuda"] | {"rows": [
    RELU | {"part": "backward", "failed": "CUDARuntimeError: illegal address"},
    *BANDWIDTH["cuda"]["rows"]]}  # fmt: skip
WRONG = {  # what goes wrong, the part that is then named, what stands there
    "tests fail": ({"tests": Ran(1, "1 failed\n", "", 1.0)}, "tests", "1 failed, 1 s"),
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
    "beyond a bound": ({"ratio": 1.5}, "errors", "| relu | float32 | dx | 1.50 |"),
    "no hypothesis": (
        {"no_rows": ModuleNotFoundError("No module named 'hypothesis'")},
        "errors",
        "This part failed: ModuleNotFoundError: No module named 'hypothesis'",
    ),
    "a crash": (
        {"bandwidth": CRASH},
        "bandwidth of the kernels",
        "This part failed: RuntimeError: exit -11: Segmentation fault",
    ),
    "a sick kernel": (
        {"bandwidth": Ran(1, json.dumps(SICK), "", 1.0)},
        "bandwidth of the kernels",
        "| relu, backward | 8×64×64×64 | failed: CUDARuntimeError: illegal address |  |  |",
    ),
    "a sick step": (
        {"steps": Ran(1, json.dumps([TOY | NO_STEP | {"failed": "OutOfMemory"}]), "", 1.0)},
        "steps of training",
        "| ToyNet | 8×3×64×64 | failed: OutOfMemory |",
    ),
    "no JSON": ({"steps": Ran(0, "hello\n", "", 1.0)}, "steps of training", "JSONDecodeError"),
    "hazards": (
        {"racecheck": Ran(86, "========= RACECHECK SUMMARY: 2 hazards displayed", "", 1.0)},
        "compute-sanitizer",
        "- racecheck: RACECHECK SUMMARY: 2 hazards displayed\n",
    ),
    "no end": (
        {"memcheck": subprocess.TimeoutExpired("compute-sanitizer", 3600)},
        "compute-sanitizer",
        "- memcheck: not done after 3600 s\n- racecheck: RACECHECK SUMMARY: 0 hazards",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_part_that_fails_is_named_and_the_others_are_written(case, reported):
    wrong, failed, said = WRONG[case]
    code, _, page, _ = reported(**wrong)
    assert code == 1
    assert page.splitlines()[0] == "# Run on a GPU: FAILED"
    assert f"\nFailed: {failed}.\n" in page
    (section,) = [part for part in page.split("\n## ")[1:] if part.lower().startswith(failed)]
    assert said in section
    assert page.count("\n## ") == len(parts.PARTS) == 6
    others = {"tests": "12 passed", "training": "| arm | 0.500", "errors": "dx | 0.50 |"}
    others |= {"bandwidth of the kernels": "| 50% |", "steps of training": "| 44.00 |"}
    assert all(found in page for part, found in others.items() if part != failed)


def test_where_the_emulated_device_does_not_run_launches_are_dashes(reported):
    code, _, page, _ = reported(counting=Ran(1, "", "it needs g++\n", 0.1))
    assert code == 0
    assert "| relu, forward | 8×64×64×64 | – | 8,000 |" in page
    assert "| ToyNet | 8×3×64×64 | – | – | – | 2.50 |" in page
    assert page.count("Launches were not counted") == 2


def test_without_compute_sanitizer_it_says_so(reported):
    code, _, page, commands = reported(program=None)
    assert code == 0
    assert sanitizer.ABSENT in page
    assert not any("--tool" in words for words in commands)


def test_what_is_there_is_written_before_the_next_part_begins(reported, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(device, where):
        raise Killed

    monkeypatch.setitem(parts.PARTS, "steps of training", killed)
    with pytest.raises(Killed):
        reported()
    page = Path("gpu-report.md").read_text(encoding="utf-8")
    assert page.splitlines()[0] == "# Run on a GPU: not finished"
    assert "Not run yet: steps of training, compute-sanitizer." in page
    assert "| 50% |" in page


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
    assert sanitizer.verdict("memcheck", code, output)[0] == good


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
    assert sanitized.main(["--device", cupy_device, "--examples", "1", "relu"]) == 0
    held, _, rows, *_, judged, _ = capsys.readouterr().out.split()
    assert held == rows == "4"
    assert int(judged) > 50
    assert {"relu", "conv2d", "BatchNorm2d", "CBAMSpatial"} < set(sanitized.NAMES) < set(CASES)


# -- make gpu -------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("here", [True, False])
def test_make_gpu_takes_the_python_that_has_what_it_needs(here, tmp_path):
    """It asks for the three packages, and then neither makes an environment nor installs."""
    python = tmp_path / "python"
    asked = '[ "$2" = "import cupy, torch, array_api_compat" ]'
    python.write_text(f"#!/bin/sh\n{asked} && exit {0 if here else 1}\nexit 1\n")
    python.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-n", "gpu", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    used = python if here else tmp_path / "venv/bin/python"
    assert lines[-1] == f"{used} -m armlab.report.gpu_report"
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


def test_a_command_is_heard_and_has_its_time(capfd):
    ran = command.run([sys.executable, "-c", "import sys; print('a'); sys.exit('b')"])
    assert (ran.code, ran.output, ran.errors) == (1, "a\n", "b\n")
    assert capfd.readouterr() == ("a\n", "b\n")
    with pytest.raises(subprocess.TimeoutExpired):
        command.run([sys.executable, "-c", "import time; time.sleep(60)"], 0.2)
