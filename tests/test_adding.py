"""Adding a module takes the files that CONTRIBUTING.md names and no others: tried in a copy.

`tests/added/` has a small attention, and the operation that it needs, in files as they would stand
in armlab/. In a copy of the project with these and their lines, every command and test takes them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADDED = Path(__file__).parent / "added"
NAMES = ("EnergyExcitation", "mean_square")
FILES = {"EnergyExcitation": "energy_excitation", "mean_square": "mean_square"}
RULE = '''def mean_square(x: Array) -> Work:
    """A square and a sum for each element of x."""
    return Work("pooling", (*x.shape[:2], 1, 1), elementwise=2 * prod(x.shape))


'''


def insert(path, before, lines):
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{before!r} in {path}"
    path.write_text(text.replace(before, lines + before), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with the new files, its lines in both __init__, and the rule of cost."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("armlab", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    before = {path.relative_to(copy) for path in copy.rglob("*.py")}
    shutil.copytree(ADDED / "armlab", copy / "armlab", dirs_exist_ok=True)
    new = {path.relative_to(copy) for path in copy.rglob("*.py")} - before
    rooms = ("hand", "torch", "check/cases")
    assert new == {Path(f"armlab/{room}/{file}.py") for room in rooms for file in FILES.values()}
    for side in ("hand", "torch"):
        init = copy / f"armlab/{side}/__init__.py"
        imports = "".join(f"from armlab.{side}.{FILES[n]} import {n}\n" for n in NAMES)
        insert(init, "\n__all__ = [", imports)
        names = "".join(f'    "{name}",\n' for name in NAMES)
        insert(init, '    "FeatureFusionModule",\n', names)
    rules = copy / "armlab/cost/rules.py"
    insert(rules, 'NORMALISE = "BN, activation"\n', RULE)
    insert(rules, "    # what composites write out", '    "mean_square": mean_square,\n')
    return copy


def run(copy, *command):
    environment = os.environ | {"PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "dev"}
    done = subprocess.run(
        [sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_armlab_check_takes_them(copy):
    out = run(copy, "-m", "armlab", "check", *NAMES, "--examples", "10")
    for name in NAMES:
        assert any(line.startswith(f"{name} ") for line in out.splitlines())
    assert "all within" in out


def test_each_test_of_a_module_takes_them(copy):
    chosen = [word for name in NAMES for word in ("--module", name)]
    rooms = [f"tests/{room}" for room in ("check", "hand", "cost")]
    out = run(
        copy, "-m", "pytest", "-q", "-m", "not thorough", "-p", "no:cacheprovider", *chosen, *rooms
    )
    passed = int(out.rpartition(" passed")[0].split()[-1])
    assert passed >= 90  # derivatives, devices, contracts, laws, formulas, bad input, faults, cost


def test_armlab_cost_counts_them(copy):
    out = run(copy, "-m", "armlab", "cost", "EnergyExcitation", "channels=8", "--size", "6x7")
    assert "72" in out  # 64 weights and 8 biases


TRACE = """
import numpy as np, torch, armlab.torch
from armlab import check, hand
mine, twin = hand.EnergyExcitation(3), armlab.torch.EnergyExcitation(3)
mine.load_state_dict(twin.state_dict())
found = check.trace(mine, twin, np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
assert found.agrees
"""


def test_the_tracer_names_its_operation(copy):
    assert "mean_square y" in run(copy, "-c", TRACE)


def test_a_network_trains_with_it_by_name(copy):
    out = run(
        copy, "-m", "armlab", "train", "--attention", "energy", "--steps", "2", "--batch", "2"
    )
    assert "energy" in out
