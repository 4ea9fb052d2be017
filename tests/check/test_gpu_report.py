"""The report of `make gpu` and `make emulated`: its title, what it runs, when it says FAILED."""

import json

import pytest

from armlab.arrays import HOST
from armlab.check import gpu_report, table
from armlab.check.cases import CASES
from armlab.check.gpu_report import Ran

RUNS = {
    name: {"miou": 0.5, "told_apart": 0.25, "parameters": 7, "seconds": 1.0}
    for name in ("none", "arm")
}


@pytest.fixture
def reported(monkeypatch, tmp_path, capsys):
    """The exit code and page of a report, and the commands it ran, with nothing run for real."""

    def reported(*arguments, tests=0, training=0, ratio=0.5):
        commands = []

        def run(command):
            commands.append(command[2:])
            if command[2] == "pytest":
                return Ran(tests, "....\n12 passed in 3.4s\n\n", "", 3.4)
            return Ran(training, json.dumps({"runs": RUNS}), "it went wrong\n", 5.0)

        def rows(examples, place, dtypes=("float32", "float64"), names=None):
            assert place is HOST
            assert names is None or {"relu", "UAFMChannel"} < set(names) < set(CASES)
            for dtype in dtypes:
                for result, r in (("y", ratio / 2), ("dx", ratio)):
                    yield table.ResultRow("relu", dtype, result, 0.0, r, None, None, 1.0, examples)

        monkeypatch.chdir(tmp_path)
        (tmp_path / "tests").mkdir(exist_ok=True)
        monkeypatch.setattr(gpu_report, "place", lambda device: HOST)
        monkeypatch.setattr(gpu_report, "_device_line", lambda device: "- device: X")
        monkeypatch.setattr(gpu_report, "_run", run)
        monkeypatch.setattr(table, "rows", rows)
        code = gpu_report.main(arguments)
        (file,) = tmp_path.glob("*.md")
        page = file.read_text()
        assert f"written to {file.name}: " in capsys.readouterr().out
        file.unlink()
        return code, file.name, page, commands

    return reported


def test_of_the_emulated_device_it_says_so_in_its_title(reported):
    code, name, page, (tests, training) = reported("--device", "emulated")
    assert (code, name) == (0, "emulated-report.md")
    assert page.splitlines()[0] == "# Run on the emulated device, not a GPU: all well"
    assert "made by `make emulated`" in page
    assert tests[:6] == ["pytest", "-q", "-m", "emulated", "--device", "emulated"]
    assert training[:5] == ["armlab", "train", "--backend", "cupy", "--device"]
    assert "--steps" in training
    assert page.count("| relu |") == 1  # float32
    assert "| relu | float32 | dx | 0.50 |" in page


def test_of_a_gpu(reported):
    code, name, page, (tests, training) = reported()
    assert (code, name) == (0, "gpu-report.md")
    assert page.splitlines()[0] == "# Run on a GPU: all well"
    assert tests == ["pytest", "-q", "-m", "gpu", "--device", "cuda", "tests"]
    assert training == ["armlab", "train", "--backend", "cupy", "--device", "cuda", "--json"]
    assert page.count("| relu |") == 2
    assert "12 passed in 3.4s, 3 s" in page
    assert "| arm | 0.500 | 0.250 | 7 | 1.0 |" in page


@pytest.mark.parametrize("wrong", [{"tests": 1}, {"training": 1}, {"ratio": 1.5}])
def test_any_part_that_fails_is_said_in_the_title(reported, wrong):
    code, _, page, _ = reported("--device", "emulated", **wrong)
    assert code == 1
    assert page.splitlines()[0] == "# Run on the emulated device, not a GPU: FAILED"
    assert ("The training failed: it went wrong" in page) == ("training" in wrong)


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
