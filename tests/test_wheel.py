"""What `pip install` puts on a machine works there, far from any clone of the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
FAST = ["--attention", "arm", "--steps", "3", "--batch", "2", "--size", "48"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, as an old build/ would be packed as well."""
    pytest.importorskip("setuptools", minversion="77", reason="a wheel is built by setuptools")
    copy, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "armlab", copy / "armlab", ignore=shutil.ignore_patterns("__pycache__"))
    build = [*PIP, "wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*build, "--wheel-dir", out, copy], check=True)
    (found,) = out.glob("armlab-*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has armlab from the wheel, and all other packages from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name == "posix")
    found = folder / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
    install = [*PIP, "--python", found, "install", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    (packages,) = folder.rglob("site-packages")
    here = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "others.pth").write_text("\n".join(here))  # theirs is searched after its own
    return found


@pytest.fixture
def ran(python: Path, tmp_path: Path):
    """Runs Python in an empty folder, and gives what it prints; where it fails, why."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [python, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    found = Path(run("-c", "import armlab; print(armlab.__file__)"))
    assert found.is_relative_to(python.parents[1])
    return run


def test_the_wheel_holds_every_file_of_the_package(wheel):
    files = {p.relative_to(ROOT) for p in (ROOT / "armlab").rglob("*") if p.is_file()}
    wanted = {p.as_posix() for p in files if p.suffix != ".pyc"}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("armlab/")}
    assert len(wanted) > 200
    assert packed == wanted


def test_what_is_installed_is_said(ran):
    assert json.loads(ran("-m", "armlab", "info", "--json"))["versions"]["armlab"] == "0.1.0"
    assert "conv3x3-stem" in ran("-m", "armlab", "bench", "--list")
    arguments = ("in_channels=8", "out_channels=4", "--size", "6x5", "--json")
    cost = json.loads(ran("-m", "armlab", "cost", "AttentionRefinementModule", *arguments))
    assert cost["arms"]["parameters"] > 0


def test_the_proof_runs_and_finds_the_sources_to_plant_faults_in(ran):
    rows = json.loads(ran("-m", "armlab", "check", "relu", "--examples", "5", "--json"))
    assert {row["module"] for row in rows} == {"relu"}
    assert all(row["holds"] for row in rows)
    faults = json.loads(ran("-m", "armlab", "check", "--faults", "relu", "--json"))
    assert len(faults) > 0
    assert all(fault["caught"] for fault in faults)


def test_a_training_and_what_follows_it(ran, tmp_path):
    ran("-m", "armlab", "train", *FAST, "--out", "run")
    assert (tmp_path / "run/attention.png").exists()
    ran("-m", "armlab.data.export", "photos", "--training", "2")
    image = min((tmp_path / "photos/test").iterdir()).relative_to(tmp_path)
    assert str(image) in ran("-m", "armlab", "predict", "run", str(image))
    ran("-m", "armlab", "convert", "run", "arm.safetensors")
    assert (tmp_path / "arm.safetensors").exists()


@pytest.mark.parametrize("module", [["armlab", "lessons"], ["armlab.report.gpu_report"]])
def test_what_belongs_to_a_clone_says_so(module, ran):
    (sentence,) = ran("-m", *module, code=1).splitlines()
    assert "a clone of the repository" in sentence
