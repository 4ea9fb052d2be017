"""What README says is run: its Python, its commands, its links, its figures."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from armlab import hand, training, weights
from armlab.check import faults
from armlab.cli import main
from armlab.data import Generated, Scenes
from armlab.data.export import export

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """The fenced blocks of one language; "" for those of none."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in fences if name == language]


def commands(start):
    lines = "".join(blocks("")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith(start)]


ARMLAB = commands(".venv/bin/armlab")
assert len(ARMLAB) >= 2


def test_the_python_runs():
    code, _, _ = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "conv.conv.weight" in done.stdout
    assert "(2, 4, 1, 1)" in done.stdout


def test_the_python_of_the_training_runs(tmp_path):
    _, code, _ = blocks("python")
    small = code.replace("seed=1)", "seed=1, steps=2, batch=2)")
    assert small != code
    done = subprocess.run(
        [sys.executable, "-c", small], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "'miou'" in done.stdout
    assert "ToyNet(" in done.stdout
    assert (tmp_path / "runs/se/attention.png").exists()


def test_the_python_of_the_bridge_runs():
    _, _, code = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    shown = code + (
        "before = hand.AttentionRefinementModule(8, 4, rng=0).conv.conv.weight\n"
        "assert (arm.conv.conv.weight != before).all()\n"
    )
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "(0): ByHand(\n    AttentionRefinementModule" in done.stdout
    assert "(refine): ByAutograd(Conv2d(32, 32" in done.stdout


def test_every_make_command_is_in_the_makefile():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {word.split()[1] for word in commands("make")}
    used |= set(re.findall(r"`make (\w+)`", README))
    assert {"lessons", "test", "train", "check", "gpu"} <= used
    assert used <= targets


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A folder with what the commands of README are given: weights, a run, images and masks."""
    folder = tmp_path_factory.mktemp("readme")
    weights.save(folder / "bisenetv1.pth", hand.ToyBiSeNet(width=2, rng=0).state_dict())
    export(Generated(Scenes, 0, (48, 48)), folder / "photos", training=4)
    shutil.copy(folder / "photos/test/0000.png", folder / "photo.png")
    training.train(training.Config(attention="se", steps=2, batch=2), folder / "runs/se")
    return folder


@pytest.mark.parametrize("command", ARMLAB)
def test_every_armlab_command_parses_and_runs_small(command, things, tmp_path, monkeypatch, capfd):
    shutil.copytree(things, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    steps = ["--steps", "2", "--batch", "2"]
    small = {"train": steps, "ablate": [*steps, "--seeds", "0"], "check": ["relu"]}
    assert main(words + small.get(words[0], [])) == 0
    assert capfd.readouterr().out  # by processes of its own as well


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).exists(), target
    for path in re.findall(r"`((?:armlab|tests|lessons)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "armlab/check/README.md"])
def test_links_and_files_of_the_other_pages_are_there(page):
    text, folder = (ROOT / page).read_text(encoding="utf-8"), (ROOT / page).parent
    links = re.findall(r"\]\(([^)#]+)\)", text)
    files = re.findall(r"`([\w./]*(?:\.py|\.md|/))`", text)
    assert len(links) + len(files) >= 8
    for name in links:
        assert (folder / name).exists(), name
    for name in files:
        wanted = name.replace("NAME", "simam")
        rooms = (ROOT, folder, ROOT / "tests/check", ROOT / "armlab")
        assert any((room / wanted).exists() for room in rooms), name


def test_counts_are_true():
    said = " ".join(README.split())
    assert f"A catalogue of {len(faults.FAULTS)} wrong versions" in said
    assert f"and {len(faults.OF_KINDS)} of them again for one dtype, mode, layout or place" in said
    written = sorted((ROOT / "lessons").glob("[0-9][0-9][a-z]_*.py"))
    assert len({path.name[:2] for path in written}) == 13
    assert f"{len(written)} lessons of an hour at most, in thirteen chapters" in said


def test_the_report_is_linked_if_there_is_one():
    has_report = (ROOT / "gpu-report.md").exists()
    assert ("(gpu-report.md)" in README) == has_report
    assert ("no such report yet" in README) != has_report


def page_at(url, seconds=60):
    """The page, once the server listens: it prints its URL a moment before."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as page:
                return page.read()
        except (ConnectionResetError, urllib.error.URLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.mark.lessons
@pytest.mark.skipif(not (ROOT / ".venv/ready").exists(), reason="make has not set up .venv here")
def test_make_lessons_prints_a_url_that_answers():
    command = ["make", "lessons", "BROWSER=none"]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        for line in server.stdout:
            url = re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/lab\S*token=\w+", line)
            if url:
                break
        else:
            pytest.fail("make lessons ended without a URL")
        assert "index.ipynb" in url.group()
        assert b"JupyterLab" in page_at(url.group())
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)
        if server.stdout is not None:
            server.stdout.close()
