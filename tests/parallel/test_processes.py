"""`armlab train` by several real processes: what comes out, and what is said where one fails."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from processes import SECONDS, SMALL, TORCHRUN

from armlab.hand.group import RankError
from armlab.parallel.processes import ProcessGroup

STEPS = ("--steps", 60, "--batch", 5, "--sync-batch-norm")
HEADER = "epoch   step"  # the first steps follow it
ENDLESS = ("--steps", 100000, "--batch", 5, "--processes", 2)


def test_two_processes_end_as_one_does(started):
    one, two = started(*STEPS), started(*STEPS, "--processes", 2)
    assert one.end() == two.end() == (0, [])
    expected, found = one.state(), two.state()
    assert list(found) == list(expected)
    for key, a in expected.items():
        scale = np.abs(a).max(initial=0)
        np.testing.assert_allclose(found[key], a, rtol=0, atol=1e-9 * scale, err_msg=key)
    assert sorted(p.name for p in (two.folder / "run").iterdir()) == sorted(
        p.name for p in (one.folder / "run").iterdir()
    )
    header, *rows = two.out.read_text().splitlines()[1:12]
    assert header.startswith("epoch")
    assert len(rows) == 10  # by rank 0 alone


def test_run_goes_on_after_a_rank_was_killed_and_ends_as_if_none_had_been(started):
    restarts = (*TORCHRUN, "--max-restarts", "1")
    undisturbed, killed = started(*STEPS, by=restarts), started(*STEPS, by=restarts)
    killed.wait_for("step 12 of 60")
    os.kill(killed.pids()[1], signal.SIGKILL)
    assert undisturbed.end()[0] == killed.end()[0] == 0
    expected, found = undisturbed.state(), killed.state()
    for key, a in expected.items():
        np.testing.assert_array_equal(found[key], a, err_msg=key)
    assert killed.column("miou") == undisturbed.column("miou")


@pytest.mark.parametrize("rank", [0, 1])
def test_rank_that_is_killed_ends_all(rank, started):
    job = started(*ENDLESS)
    job.wait_for(HEADER)
    os.kill(job.pids()[rank], signal.SIGKILL)
    code, said = job.end()
    assert code == 1
    assert said[-1] == f"armlab: rank {rank} was ended by SIGKILL, and all others with it"
    job.state()  # whole


def test_rank_that_hangs_ends_all_once_patience_is_over(started):
    job = started(*ENDLESS, "--patience", 6)
    job.wait_for(HEADER)
    os.kill(job.pids()[1], signal.SIGSTOP)
    begun = time.monotonic()
    code, said = job.end()
    assert time.monotonic() - begun < 60  # torch gives a process 30 s to go before it is killed
    assert code == 1
    assert said == [
        "armlab: rank 0 waited in an exchange for rank 1, which did not come within 6 s: "
        "the last checkpoint is kept, go on from it with --resume"
    ]


def test_disk_that_is_full_on_rank_0_ends_all_with_one_sentence(started):
    job = started(*STEPS, "--processes", 2, most_bytes=30_000)
    code, said = job.end()
    assert code == 1
    assert len(said) == 1
    assert "cannot write" in said[0]


@pytest.mark.parametrize("sync", ["--sync-batch-norm", "--no-sync-batch-norm"])
def test_nan_on_one_rank_is_named_with_its_rank(sync, started):
    script = Path(__file__).with_name("nan_on_rank_1.py")
    job = started("--steps", 60, "--batch", 5, sync, by=TORCHRUN, script=script)
    code, said = job.end()
    assert code == 1
    assert [line.split(": the last")[0] for line in said] == [
        "armlab: an image on rank 1 is not finite in step 3"
    ]
    assert "NotFinite" not in job.err.read_text()  # as a traceback of a rank would say


def test_image_that_rank_1_alone_reads_is_named_where_it_is_damaged_meanwhile(started, tmp_path):
    photos, rng = tmp_path / "photos", np.random.default_rng(0)
    for folder in ("train", "trainannot", "test", "testannot"):
        (photos / folder).mkdir(parents=True)
        for n in range(6):  # of which rank 0 tests 0, 2 and 4, and shows 0, 2, 3 and 5
            pixels = rng.integers(0, 3, (48, 48, 3), np.uint8)
            pixels = pixels[:, :, 0] if folder.endswith("annot") else pixels
            Image.fromarray(pixels).save(photos / folder / f"{n}.png")
    job = started(
        *("--data", photos, "--classes", 3, "--steps", 400, "--batch", 4, "--processes", 2)
    )
    job.wait_for("step 40 of 400")
    (photos / "test" / "1.png").write_bytes(b"no picture")
    code, said = job.end()
    assert code == 1
    assert len(said) == 1
    assert str(photos / "test" / "1.png") in said[0]
    job.state()  # whole


def test_parts_that_are_too_small_are_one_sentence_and_leave_no_folder(started):
    job = started("--batch", 2, "--processes", 2)
    code, said = job.end()
    assert code == 1
    assert len(said) == 1
    assert "give more images, or --sync-batch-norm" in said[0]
    assert not (job.folder / "run").exists()


def test_interrupt_keeps_the_checkpoint_and_goes_on(started):
    job = started(*ENDLESS)
    job.wait_for(HEADER)
    job.process.send_signal(signal.SIGINT)
    code, said = job.end()
    assert code == 130
    assert said == [
        "armlab: interrupted, the checkpoint is kept: go on with  armlab train --resume run"
    ]


def test_port_in_use_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(taken.getsockname()[1])}
        done = subprocess.run(
            [sys.executable, "-m", "armlab", "train", *SMALL, "--patience", "3"],
            env=os.environ | there | {"RANK": "0", "WORLD_SIZE": "2"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("armlab: ")]
    assert len(said) == 1
    assert "rank 0 of 2 found no common ground" in said[0]
    assert there["MASTER_PORT"] in said[0]


def test_ranks_that_share_a_card_are_told_so(monkeypatch):
    """NCCL's own sentence, which is long, is not that a rank has ended."""
    group = object.__new__(ProcessGroup)
    group.rank, group.size, group._exchanges, group._store = 1, 2, 0, SimpleNamespace(set=print)

    def operation(*tensors):
        raise RuntimeError(
            "NCCL error in: NCCLUtils.cpp:94, invalid usage, NCCL version 2.28.9\nLast error:\n"
            "Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1b000"
        )

    with pytest.raises(RankError) as caught:
        group._exchange(operation)
    assert str(caught.value) == (
        "rank 1 of 2 has a card that another rank has as well, and each needs its own: "
        "give --device cuda and no more processes than cards"
    )
