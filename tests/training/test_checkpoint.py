"""Checkpoints under damage: bits flipped, ends cut off, a full disk, a killed process."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from armlab.training import checkpoint
from armlab.training.checkpoint import CheckpointError, load, previous, save

ARRAYS = {
    "net.conv.weight": np.random.default_rng(0).normal(size=(3, 2, 3, 3)).astype("float32"),
    "net.bn.num_batches_tracked": np.array(7),
    "net.empty": np.zeros((0, 4)),
    "optimiser.mean.conv.weight": np.asfortranarray(np.random.default_rng(1).normal(size=(4, 6))),
}
METADATA = {"step": 12, "config": {"seed": 3}, "losses": [0.1, 1 / 3], "none": None}


def same(found: tuple, arrays: dict = ARRAYS, metadata: dict = METADATA) -> bool:
    found_arrays, found_metadata = found
    return (
        list(found_arrays) == list(arrays)
        and found_metadata == metadata
        and all(
            a.dtype == arrays[key].dtype
            and a.shape == arrays[key].shape
            and a.tobytes() == arrays[key].tobytes()
            for key, a in found_arrays.items()
        )
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.npz"
    save(path, ARRAYS, METADATA)
    return path


def refused(path: Path) -> str:
    """The sentence of the CheckpointError, or "" where loading gave exactly what was saved."""
    try:
        found = load(path)
    except CheckpointError as caught:
        sentence = str(caught)
    else:
        assert same(found), "damage went unnoticed"
        return ""
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_comes_back_bit_for_bit(path):
    assert same(load(path))
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.npz"]  # nothing left over


def test_flipped_bits_are_never_silent(path):
    data, rng = path.read_bytes(), random.Random(1)
    noticed = 0
    for bit in rng.sample(range(8 * len(data)), 400):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        noticed += bool(refused(path))
    assert noticed > 200  # the rest hit the zip's dates and the like, which carry no contents


def test_truncations_are_never_silent(path):
    data, rng = path.read_bytes(), random.Random(2)
    for length in [0, 1, 2, *rng.sample(range(3, len(data)), 250), len(data) - 1]:
        path.write_bytes(data[:length])
        assert refused(path), f"cut to {length} of {len(data)} bytes"


def test_swapped_arrays_are_noticed(path):
    # a whole, valid npz whose values belong to another name: only the hashes can tell
    with np.load(path) as file:
        members = dict(file)
    members["arrays/net.conv.weight"] = members["arrays/net.conv.weight"][::-1].copy()
    np.savez(path, **members)
    assert "net.conv.weight does not match its hash" in refused(path)


def test_each_wrong_file_has_its_sentence(tmp_path):
    missing, text, plain = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz"))
    text.write_text("not a checkpoint")
    np.savez(plain, x=np.arange(3))
    assert "there is no checkpoint" in refused(missing)
    assert "is not a checkpoint of armlab: it is no npz file" in refused(text)
    assert "is not a checkpoint of armlab: it has no manifest" in refused(plain)
    assert "cannot read" in refused(tmp_path)


def test_a_later_version_is_named(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    monkeypatch.setattr(checkpoint, "VERSION", checkpoint.VERSION + 1)
    save(path, ARRAYS, METADATA)
    monkeypatch.undo()
    ours = checkpoint.VERSION
    assert f"has format version {ours + 1}, and this armlab reads version {ours}" in refused(path)


def test_pickles_are_neither_written_nor_read(tmp_path):
    path = tmp_path / "checkpoint.npz"
    np.savez(path, evil=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert refused(path)


def test_the_previous_generation_is_kept_and_named(path):
    save(path, {"x": np.arange(3.0)}, {"step": 13})
    assert same(load(previous(path)))
    assert same(load(path), {"x": np.arange(3.0)}, {"step": 13})
    path.write_bytes(path.read_bytes()[:-20])
    assert f"{previous(path)} holds the one before" in refused(path)


@pytest.mark.parametrize("broken", ["replace", "fsync", "savez"])
def test_a_failing_disk_leaves_the_old_checkpoint(path, monkeypatch, broken):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np if broken == "savez" else os, broken, full)
    with pytest.raises(CheckpointError, match="No space left on device; an earlier one is kept"):
        save(path, {"x": np.arange(3.0)}, {"step": 13})
    monkeypatch.undo()
    assert same(load(path))
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.npz"]


def test_a_file_system_without_links_keeps_the_previous_one_too(path, monkeypatch):
    def no_links(*args):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    save(path, {"x": np.arange(3.0)}, {"step": 13})
    assert same(load(previous(path)))


SAVE_FOREVER = """
import sys, numpy as np
from pathlib import Path
from armlab.training.checkpoint import save
generation = 0
while True:
    save(Path(sys.argv[1]), {"x": np.full(50_000, float(generation))}, {"generation": generation})
    if generation == 0:
        print("saving", flush=True)
    generation += 1
"""


def kill_while_saving(path: Path, delay: float) -> dict:
    command = [sys.executable, "-c", SAVE_FOREVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"saving\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    arrays, metadata = load(path)
    assert np.all(arrays["x"] == metadata["generation"])
    return metadata


def test_killed_at_any_moment_old_or_new_loads(tmp_path):
    rng = random.Random(3)
    generations = [
        kill_while_saving(tmp_path / "checkpoint.npz", rng.uniform(0.005, 0.1))["generation"]
        for _ in range(10)
    ]
    assert max(generations) > 0  # some were killed after the first save


@pytest.mark.thorough
def test_thorough_flips_and_truncations_are_never_silent(path):
    data, rng = path.read_bytes(), random.Random(4)
    for bit in rng.sample(range(8 * len(data)), 5000):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        refused(path)
    for length in rng.sample(range(len(data)), 1000):
        path.write_bytes(data[:length])
        assert refused(path), f"cut to {length} of {len(data)} bytes"


@pytest.mark.thorough
def test_thorough_killed_at_two_hundred_moments(tmp_path):
    rng = random.Random(5)
    for _ in range(200):
        kill_while_saving(tmp_path / "checkpoint.npz", rng.uniform(0.0, 0.1))


def test_the_manifest_is_readable_json(path):
    with np.load(path, allow_pickle=False) as file:
        manifest = json.loads(file["manifest.json"].tobytes())
    assert manifest["version"] == checkpoint.VERSION
    assert manifest["metadata"] == METADATA
    assert manifest["arrays"]["net.conv.weight"]["shape"] == [3, 2, 3, 3]
