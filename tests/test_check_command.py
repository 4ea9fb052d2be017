"""`armlab check`: its table, its exit codes, and that a fault turns it to 1."""

import json

import pytest

from armlab.check import faults, table
from armlab.cli import main


def test_the_table_has_a_row_for_each_result(capsys):
    name = "AttentionRefinementModule"
    assert main(["check", name, "--examples", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for dtype in ("float32", "float64"):
        results = [line.split()[2] for line in lines if line.startswith(f"{name} {dtype}")]
        wanted = {"y", "dx", "conv.conv.weight", "conv.bn.running_mean", "bn_atten.running_var"}
        assert wanted | {"conv_atten.weight", "bn_atten.bias"} <= set(results)
    assert lines[2].split()[:3] == ["module", "dtype", "result"]
    assert lines[-1].endswith("all within")


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
    assert "no module 'conv3d': choose from conv2d" in error
    assert main(["check", "--examples", "0"]) == 1
    assert "at least 1, got 0" in capsys.readouterr().err


def test_every_row_of_every_module_holds():
    for row in table.rows(examples=3):
        assert row.holds, table.as_text(row)


def test_usage_errors_exit_with_2():
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--dtype", "float16"])
    assert stopped.value.code == 2
