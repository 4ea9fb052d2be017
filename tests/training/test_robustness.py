"""A run that is killed, fills its disk or meets the wrong file: one sentence, and nothing lost."""

import errno
import hashlib
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from armlab import cli, plots
from armlab.training import checkpoint, loop
from armlab.training.config import Config
from armlab.training.run import Run

SMALL = {"steps": 6, "batch": 2, "size": 48, "channels": 4, "attention": "arm"}
TRAIN = ["--attention", "arm", "--batch", "2", "--size", "48", "--out", "run"]


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


def line_of(capsys, *arguments: str) -> str:
    """The one sentence with which a command ends, after its plain lines of progress."""
    assert cli.main(arguments) == 1
    *before, last = capsys.readouterr().err.splitlines()
    assert all(re.match(r"arm: step ", line) for line in before)
    assert last.startswith("armlab: ")
    return last


def hash_of(folder: Path) -> str:
    arrays, kept = checkpoint.load(folder / "checkpoint.npz")
    found = hashlib.sha256(str([row["loss"] for row in kept["history"]]).encode())
    for key, a in arrays.items():
        found.update(key.encode() + a.tobytes())
    return found.hexdigest()


# -- killed ------------------------------------------------------------------------------------

KILL = """
import os, signal, sys
from armlab.data import generated
from armlab.training import loop
from armlab.training.config import Config
generated.TEST_SCENES = 2
class Killer:
    def begin(self, run): ...
    def end(self): ...
    def epoch(self, run, row): ...
    def step(self, run, loss):
        if run.step == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
from pathlib import Path
loop.train(Config(steps=20, batch=2, size=48, channels=4), Path("killed"), Killer())
"""


@pytest.mark.parametrize("step", [1, 9])  # before the first epoch ends, and amid a later one
def test_killed_in_training_and_resumed_ends_with_the_same_hash(step):
    done = subprocess.run([sys.executable, "-c", KILL, str(step)], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = checkpoint.load(Path("killed", "checkpoint.npz"))[1]["step"]
    assert kept == step - 1  # epochs of two steps
    loop.resume(Path("killed"))
    loop.train(Config(steps=20, batch=2, size=48, channels=4), Path("whole"))
    assert hash_of(Path("killed")) == hash_of(Path("whole"))


# -- a full disk ---------------------------------------------------------------------------------


def no_space(*arguments: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_while_training_leaves_the_checkpoint_before(capsys, monkeypatch):
    saved, calls = checkpoint.save, []
    with monkeypatch.context() as patch:

        def full_at_the_third(*arguments):
            calls.append(1)
            if len(calls) == 3:
                patch.setattr(os, "fsync", no_space)
            saved(*arguments)

        patch.setattr(checkpoint, "save", full_at_the_third)
        line = line_of(capsys, "train", *TRAIN, "--steps", "5")
    assert "cannot write run/checkpoint.npz: No space left on device; an earlier one is" in line
    assert checkpoint.load(Path("run/checkpoint.npz"))[1]["step"] == 1
    assert sorted(p.name for p in Path("run").iterdir()) == [
        *("checkpoint.npz", "checkpoint.previous.npz", "config.json", "history.csv")
    ]


def test_a_disk_that_is_full_from_the_start_leaves_nothing_in_the_way(capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        line = line_of(capsys, "train", *TRAIN, "--steps", "2")
    assert "No space left on device; there was none before" in line
    assert not Path("run").exists()
    assert cli.main(["train", *TRAIN, "--steps", "2"]) == 0


@pytest.mark.parametrize("picture", ["curves", "confusion", "attention"])
def test_a_disk_that_fills_at_the_pictures_says_that_the_run_is_kept(capsys, monkeypatch, picture):
    with monkeypatch.context() as patch:
        patch.setattr(plots, picture, no_space)
        line = line_of(capsys, "train", *TRAIN, "--steps", "2")
    assert line == (
        "armlab: cannot write into run: No space left on device; the checkpoint is kept: "
        "make room, and go on with armlab train --resume run"
    )
    assert cli.main(["train", "--resume", "run"]) == 0


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from armlab.cli import main
from armlab.data import generated
generated.TEST_SCENES = 2
from armlab.training import checkpoint
save, calls = checkpoint.save, []
def limited(*arguments):
    calls.append(1)
    if len(calls) == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    save(*arguments)
checkpoint.save = limited
sys.exit(main())
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on the size of files")
def test_the_system_itself_refuses_to_write_on(tmp_path):
    command = [sys.executable, "-c", LIMITED, "train", *TRAIN, "--steps", "9"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("armlab: cannot write run/checkpoint.npz: File too large; an earlier")
    assert "Traceback" not in done.stderr
    assert checkpoint.load(Path("run/checkpoint.npz"))[1]["step"] == 1
    assert cli.main(["train", "--resume", "run"]) == 0


# -- the wrong file ------------------------------------------------------------------------------


def test_a_checkpoint_of_something_else_is_named(capsys):
    loop.train(Config(**SMALL), Path("run"))
    path = Path("run/checkpoint.npz")
    arrays, kept = checkpoint.load(path)
    fewer = {key: a for key, a in arrays.items() if key != "net.conv1.conv.weight"}
    wrong = {
        "no run at all": ({"x": np.ones(2)}, {}),
        "an unknown setting": (arrays, kept | {"config": kept["config"] | {"depth": 3}}),
        "an unknown value": (arrays, kept | {"config": kept["config"] | {"schedule": "random"}}),
        "another network": (arrays, kept | {"config": kept["config"] | {"channels": 8}}),
        "a missing weight": (fewer, kept),
        "a missing history": (arrays, {k: v for k, v in kept.items() if k != "history"}),
    }
    for name, contents in wrong.items():
        checkpoint.save(path, *contents)
        before = path.read_bytes()
        for command in (["train", "--resume", "run"], ["predict", "run", "a.png"]):
            if (name, command[0]) == ("a missing history", "predict"):
                continue  # which has no use for it
            line = line_of(capsys, *command)
            assert "run/checkpoint.npz is whole, but not of a run that this armlab" in line, name
        assert path.read_bytes() == before


def test_gates_and_confusion_come_back_with_the_checkpoint():
    run = loop.train(Config(**SMALL), Path("run"))
    again = Run.resume(Path("run"))
    assert len(run.gates) == len(run.history) == 6
    assert run.gates[0].shape == (4, 4)  # images shown, channels
    np.testing.assert_array_equal(again.gates, run.gates)
    np.testing.assert_array_equal(run.gates[-1], run.learner.gate(run.dataset.shown()[0]))
    assert again.confusion == run.confusion
    assert np.sum(run.confusion) == 4 * 48 * 48  # every pixel of two scenes, each with both bands
