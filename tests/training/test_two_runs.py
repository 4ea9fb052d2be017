"""Two runs into one folder: one works there, the other is told who it is; nothing is mixed."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from armlab import cli
from armlab.training import ablation, checkpoint, grid_run, run_lock
from armlab.training.config import Config
from armlab.training.loop import resume, train
from armlab.training.run_lock import LOCK, FolderInUse, one_run_in
from armlab.whole_file import sweep, whole_file, write_whole

FEW = """
import sys
from armlab.data import generated
generated.TEST_SCENES = 2
from armlab.cli import main
sys.exit(main())
"""
SMALL = ["--batch", "2", "--size", "48", "--channels", "4"]
LONG = ["--steps", "100000"]


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FEW, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(found, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def killed(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()
        process.communicate()


TRAIN = ["train", "--attention", "arm", *SMALL, *LONG, "--out", "run"]
BOTH = ["train", *SMALL, *LONG, "--out", "run"]
GRID = ["ablate", "--seeds", "0", *SMALL, *LONG, "--out", "run"]


@pytest.mark.parametrize("command", [TRAIN, BOTH, GRID, [*GRID, "--jobs", "2"]])
def test_of_two_started_together_one_wins_and_names_itself(command):
    processes = [started(*command) for _ in range(2)]
    try:
        wait_for(lambda: any(p.poll() is not None for p in processes))
        loser, winner = sorted(processes, key=lambda p: p.poll() is None)
        assert winner.poll() is None
        assert loser.returncode == 1
        error = loser.communicate()[1]
        assert re.fullmatch(
            r"armlab: another run is at work in run: (process \d+ on \S+, since [-\d: ]+|it has "
            r"just begun); wait for its end or stop it, or choose another folder\n",
            error,
        ), error
        if "process" in error:
            assert f"process {winner.pid} on" in error
    finally:
        killed(*processes)


def test_a_killed_run_is_in_nobodys_way_and_goes_on():
    first = started(*TRAIN)
    wait_for(Path("run/checkpoint.npz").exists)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert Path("run", LOCK).exists()  # it could not tidy up
    Path("run/checkpoint.npz.0123abcd.new").write_bytes(b"half")
    second = started("train", "--resume", "run")
    try:
        wait_for(lambda: f"process {second.pid} " in Path("run", LOCK).read_text(encoding="utf-8"))
        third = started("train", "--resume", "run")
        assert f"process {second.pid} on" in third.communicate(timeout=60)[1]
        assert third.returncode == 1
        assert not list(Path("run").glob("*.0123abcd.new"))
        assert second.poll() is None
    finally:
        killed(second)


def test_a_killed_grid_of_processes_goes_on_at_once():
    command = [*GRID[:-4], "--steps", "40", "--out", "run", "--jobs", "2"]
    first = started(*command)
    wait_for(lambda: len(list(Path("run").glob("*/seed0/checkpoint.npz"))) == 2)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = started("ablate", "--resume", "run", "--jobs", "2")
    error = second.communicate(timeout=120)[1]
    assert second.returncode == 0, error
    first.communicate()


def test_predict_reads_a_run_at_work():
    Path("a.png").write_bytes(an_image())
    first = started(*TRAIN)
    try:
        wait_for(Path("run/checkpoint.npz").exists)
        assert cli.main(["predict", "run", "a.png", "--out", "out"]) == 0
        assert Path("out/a-mask.png").exists()
        assert first.poll() is None
    finally:
        killed(first)


def an_image() -> bytes:
    import io

    from PIL import Image

    png = io.BytesIO()
    Image.new("RGB", (50, 40)).save(png, "PNG")
    return png.getvalue()


# -- the lock itself ------------------------------------------------------------------------------


def test_a_folder_is_free_again_and_as_it_was():
    with one_run_in(Path("a/b")), pytest.raises(FolderInUse, match=f"process {os.getpid()} on"):
        train(Config(steps=1, batch=2, size=48), "a/b")
    assert not Path("a").exists()
    Path("mine").mkdir()
    with one_run_in(Path("mine")):
        Path("mine/notes.txt").write_text("", encoding="utf-8")
    assert [p.name for p in Path("mine").iterdir()] == ["notes.txt"]


def test_of_many_threads_one_at_a_time_is_in():
    """The name of a lock is taken away as its holder leaves: nobody may hold one without a name."""
    inside, seen, refused = [], [], []

    def work():
        for _ in range(200):
            try:
                with one_run_in(Path("run")):
                    inside.append(1)
                    seen.append(len(inside))
                    time.sleep(0.0002)
                    inside.pop()
            except FolderInUse:
                refused.append(1)

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(seen) == {1}
    assert len(seen) + len(refused) == 1200
    assert not Path("run", LOCK).exists()


def test_without_locks_of_the_system_a_run_goes_on_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    with one_run_in(Path("run")), one_run_in(Path("run")):
        assert Path("run").exists()


def test_a_file_system_without_locks_takes_runs_and_another_error_is_a_sentence(monkeypatch):
    import errno
    import fcntl

    def failing(number):
        def flock(descriptor, operation):
            raise OSError(number, os.strerror(number))

        return flock

    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with one_run_in(Path("run")):
        pass
    monkeypatch.setattr(fcntl, "flock", failing(errno.EIO))
    with pytest.raises(RuntimeError, match="cannot write into run: Input/output error; choose"):
        one_run_in(Path("run")).__enter__()


def test_waiting_ends_when_the_other_does():
    released = threading.Event()

    def hold():
        with one_run_in(Path("run")):
            held.set()
            released.wait(10)

    held = threading.Event()
    other = threading.Thread(target=hold)
    Path("run").mkdir()
    other.start()
    held.wait()
    run_lock.wait_until_free(Path("run"), 0.3)  # in vain
    with pytest.raises(FolderInUse):
        one_run_in(Path("run")).__enter__()
    released.set()
    run_lock.wait_until_free(Path("run"), 10)
    other.join()
    with one_run_in(Path("run")):
        pass


def test_a_run_of_a_grid_waits_for_the_last_step_of_a_killed_grid():
    config = Config(steps=1, batch=2, size=48, channels=4)
    folder = grid_run.folder(config, Path("grid"))
    held = threading.Event()

    def last_step():
        with one_run_in(folder):
            held.set()
            time.sleep(0.5)
            write_whole(folder / "notes.txt", "saved")

    other = threading.Thread(target=last_step)
    other.start()
    held.wait()
    assert grid_run.advance(config, Path("grid"), None).step == 1
    other.join()
    assert (folder / "notes.txt").exists()


def test_resume_without_a_checkpoint_makes_nothing():
    for folder in ("nowhere", "empty"):
        Path("empty").mkdir(exist_ok=True)
        with pytest.raises(checkpoint.CheckpointError, match=f"no checkpoint {folder}/checkpoint"):
            resume(folder)
    assert [p.name for p in Path().iterdir()] == ["empty"]
    assert list(Path("empty").iterdir()) == []


# -- files ------------------------------------------------------------------------------------


def test_two_writers_of_one_file_do_not_mix():
    with whole_file("a.txt") as one:
        one.write(b"one " * 5000)
        write_whole("a.txt", "two")
        one.write(b"one " * 5000)
    assert Path("a.txt").read_bytes() == b"one " * 10000
    assert [p.name for p in Path().iterdir()] == ["a.txt"]


def test_only_what_writers_left_is_swept():
    left = ["checkpoint.npz.new", "checkpoint.npz.00ff00ff.new", "history.csv.00ff00ff.old"]
    kept = ["checkpoint.npz", "notes.txt.new", "mine.00ff00ff.new", "checkpoint.npz.draft.new"]
    for name in left + kept:
        Path(name).write_text("", encoding="utf-8")
    sweep(".", ("checkpoint.npz", "history.csv"))
    assert sorted(p.name for p in Path().iterdir()) == sorted(kept)


def test_a_refused_grid_is_left_as_it_is():
    grid = ablation.Grid(Config(steps=1, batch=2, size=48, channels=4), ("none",), (0,))
    Path("run").mkdir()
    with one_run_in(Path("run")), pytest.raises(FolderInUse):
        ablation.run_grid(grid, Path("run"), None)
    assert list(Path("run").iterdir()) == []
