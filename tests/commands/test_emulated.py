"""The commands on the emulated device, each in a process of its own: what they do, and say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FAST = ["--steps", "2", "--batch", "2", "--size", "48", "--channels", "4"]
TRAIN = ["train", "--backend", "cupy", "--device", "emulated", "--attention", "arm"]
SAID = "device emulated: CuPy runs on a CUDA device in software, slowly, and not on a GPU"
pytestmark = pytest.mark.emulated


@pytest.fixture
def armlab(tmp_path):
    """Runs the command in an empty folder; `code` runs before it, in the same interpreter."""

    def run(*arguments, code="", returns=0, **environment):
        start = f"{code}\nfrom armlab.data import generated; generated.TEST_SCENES = 4\n"
        start += "import sys; from armlab.cli import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", start, *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == returns, done.stderr
        return done

    return run


def test_a_training_says_where_it_runs_and_comes_to_what_numpy_comes_to(armlab, tmp_path):
    there = armlab(*TRAIN, *FAST, "--dtype", "float64", "--out", "there")
    assert f"arm: {SAID}" in there.stderr.splitlines()
    assert "cupy on emulated, float64, 2 steps" in there.stdout
    assert (
        json.loads(Path(tmp_path, "there/config.json").read_text(encoding="utf-8"))["device"]
        == "emulated"
    )
    here = armlab("train", "--attention", "arm", *FAST, "--dtype", "float64", "--out", "here")
    assert SAID not in here.stderr
    ours, theirs = ([row.split()[:6] for row in rows(done.stdout)] for done in (there, here))
    assert ours == theirs  # epoch, step, loss, learning rate, mIoU, A against B
    assert len(ours) == 2


def rows(text):
    return [line for line in text.splitlines() if re.match(r" +\d+ +\d+ ", line)]


def test_a_training_goes_on_and_its_json_names_the_device(armlab):
    done = armlab(*TRAIN, *FAST, "--out", "run", "--json")
    assert json.loads(done.stdout)["runs"]["arm"]["device"] == "emulated"
    assert f"arm: {SAID}" in done.stderr.splitlines()
    again = json.loads(armlab("train", "--resume", "run", "--json").stdout)
    assert again["runs"]["arm"]["steps"] == 2
    assert again["runs"]["arm"]["device"] == "emulated"


def test_the_table_says_where_it_was_made(armlab):
    options = ["relu", "sigmoid_gate", "--device", "emulated", "--examples", "5"]
    text = armlab("check", *options).stdout
    assert "by hand on the emulated device, which is CuPy without a GPU" in text.splitlines()
    assert "results, all within" in text
    found = json.loads(armlab("check", *options, "--json").stdout)
    assert {row["device"] for row in found} == {"emulated"}
    assert all(row["holds"] and row["judged"] > 0 for row in found)
    assert "by hand on the CPU" in armlab("check", "relu", "--examples", "5").stdout


def test_info_lists_it_or_says_why_not(armlab):
    assert re.search(r"^devices of cupy .*emulated$", armlab("info").stdout, re.MULTILINE)
    found = json.loads(armlab("info", "--json").stdout)
    assert found["devices"]["cupy"][-1] == "emulated"
    assert found["why_not_emulated"] is None
    without = armlab("info", CXX="no-such-compiler").stdout
    assert re.search(r"^not emulated +the emulated device .*g\+\+", without, re.MULTILINE)
    assert not re.search(r"^devices of cupy .*emulated", without, re.MULTILINE)


def test_where_it_cannot_be_had_there_is_one_line(armlab):
    last = armlab(*TRAIN, *FAST, returns=1, CXX="no-such-compiler").stderr.splitlines()[-1]
    assert re.match(r"armlab: there is no device 'emulated' here: .*g\+\+", last)
    last = armlab(*TRAIN, *FAST, code="import cupy", returns=1).stderr.splitlines()[-1]
    assert re.match(r"armlab: device 'emulated' has to be there before CuPy is imported", last)
    last = armlab("check", "relu", "--device", "emulated", returns=1, CXX="none").stderr
    assert last.startswith("armlab: there is no device 'emulated' here")


def test_beside_it_there_is_no_gpu(armlab):
    """Also where the process has the emulated device: neither for CuPy nor for PyTorch."""
    first = "from armlab.places import place; place('emulated')"
    for backend, words in (("cupy", "CuPy finds none"), ("torch", "PyTorch finds none")):
        done = armlab(
            *("train", "--backend", backend, "--device", "cuda", "--attention", "arm", *FAST),
            code=first,
            returns=1,
        )
        assert words in done.stderr.splitlines()[-1]
    text = armlab("info", code=first).stdout
    assert re.search(r"^devices of cupy +emulated$", text, re.MULTILINE)
    assert re.search(r"^devices of torch +cpu$", text, re.MULTILINE)
