"""`armlab check`: its table, its exit codes, and that a fault turns it to 1."""

import inspect
import json
import re
from pathlib import Path

import pytest

from armlab.check import faults, hunt, table, worst_errors
from armlab.check.cases import FUNCTIONS
from armlab.cli import main


def test_the_table_has_a_row_for_each_result(capsys):
    name = "AttentionRefinementModule"
    assert main(["check", name, "--examples", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for dtype in ("float32", "float64"):
        results = [line.split()[2] for line in lines if line.startswith(f"{name} {dtype}")]
        wanted = {"y", "dx", "conv.conv.weight", "conv.bn.running_mean", "bn_atten.running_var"}
        assert wanted | {"conv_atten.weight", "bn_atten.bias"} <= set(results)
    assert lines[1] == "by hand on the CPU"
    assert lines[3].split()[:3] == ["module", "dtype", "result"]
    assert lines[-2].endswith("all within")
    counted = re.fullmatch(
        r"([\d,]+) times a result by hand was judged, and none was left out", lines[-1]
    )
    assert int(counted[1].replace(",", "")) >= 2 * 6 * 14  # dtypes, examples, results


def test_json_and_a_seed_that_decides(capsys):
    found = []
    for _ in range(2):
        assert main(["check", "relu", "--examples", "5", "--seed", "3", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    assert {row["module"] for row in found[0]} == {"relu"}
    assert all(row["holds"] for row in found[0])


def test_a_fault_is_over_its_bound_and_exits_with_1(capsys):
    fault = next(f for f in faults.FAULTS if f.name == "sigmoid_gate: 1 - s forgotten")
    with faults.planted(fault):
        assert main(["check", "sigmoid_gate"]) == 1
    out = capsys.readouterr().out
    assert "OVER" in out
    assert "over their bound" in out


def test_bad_input_is_one_line(capsys):
    assert main(["check", "conv3d"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no module 'conv3d': choose from add, " in error
    assert main(["check", "--examples", "0"]) == 1
    assert "at least 1, got 0" in capsys.readouterr().err


def test_every_row_holds():
    names = ["conv2d", "batch_norm", "simam_logits", "SAR", "UAFMChannel", "ToyBiSeNet"]
    for row in table.rows(examples=3, names=names):
        assert row.holds, table.as_text(row)


def test_usage_errors_exit_with_2():
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--dtype", "float16"])
    assert stopped.value.code == 2


def test_faults_are_told_one_by_one(capsys):
    assert main(["check", "sigmoid", "relu", "--faults"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    planted = [f.name for f in faults.FAULTS + faults.OF_KINDS if f.case in ("sigmoid", "relu")]
    assert [line.split("  ")[0] for line in lines] == planted
    assert all(" caught  float" in line for line in lines)
    one_pixel = [line for line in lines if "layouts alone" not in line]  # which take two to differ
    assert all("dy (1, 1, 1, 1)" in line for line in one_pixel)
    assert last == f"{len(planted)} faults, each caught"


def test_a_missed_fault_exits_with_1(capsys, monkeypatch):
    harmless = faults.Fault("no fault", "relu", "relu", "relu", "(1)", "y = xp.maximum(x, 0.0)", "")
    monkeypatch.setattr(hunt, "FAULTS", [harmless])
    monkeypatch.setattr(hunt, "OF_KINDS", [])
    assert main(["check", "relu", "--faults"]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        str(hunt.Catch(harmless)),
        "1 faults, 1 missed",
    ]
    assert main(["check", "relu", "--faults", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["fault"], row["caught"], row["example"]) == ("no fault", False, "")


def test_the_worst_error_over_bound_stands_below_its_argument(capsys):
    assert main(["check", "sigmoid", "global_avg_pool", "--bounds", "--examples", "40"]) == 0
    out = capsys.readouterr().out
    assert "exp, one sum and one quotient: 5 u s." in out
    rows = [line.split() for line in out.splitlines() if line.startswith(("sigmoid", "global"))]
    assert [row[:2] for row in rows] == [
        ["sigmoid", "y"],
        ["sigmoid", "da"],
        ["global_avg_pool", "y"],
        ["global_avg_pool", "dx"],
    ]
    assert all(0 < float(worst) <= 1 for row in rows for worst in row[2:])


def test_a_bound_that_is_passed_exits_with_1(capsys):
    fault = next(f for f in faults.FAULTS if f.name == "sigmoid_gate: 1 - s forgotten")
    with faults.planted(fault):
        assert main(["check", "sigmoid_gate", "--bounds", "--json"]) == 1
    rows = {row["result"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["da"]["hand"] > 1 >= rows["da"]["torch"]
    assert not rows["da"]["holds"]


@pytest.mark.parametrize("option", ["--faults", "--bounds"])
def test_a_name_that_is_no_case_is_one_sentence(option, capsys):
    assert main(["check", "rleu", option]) == 1
    assert "'rleu': choose from add, " in capsys.readouterr().err


def test_the_written_bounds_name_every_result_and_none_is_passed():
    """armlab/check/bounds.md is what `armlab check --bounds` printed; here it must not be stale."""
    written = (Path(worst_errors.__file__).parent / "bounds.md").read_text(encoding="utf-8")
    rows = [line.split() for line in written.splitlines() if re.fullmatch(ROW, line)]
    assert list(dict.fromkeys(row[0] for row in rows)) == [case.name for case in FUNCTIONS]
    assert all(float(number) <= 1 for row in rows for number in row[2:])
    for case in FUNCTIONS:
        for line in inspect.cleandoc(case.bound.__doc__).splitlines():
            assert line in written.splitlines()
    found = {(w.function, w.result) for w in worst_errors.worst_errors(examples=1)}
    assert found == {(row[0], row[1]) for row in rows}


ROW = r"\w+ +\w+ +\d\.\d\d +\d\.\d\d"
