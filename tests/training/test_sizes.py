"""Sizes that cannot be meant: a sentence from an estimate, before anything large is made."""

import gc
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from armlab import cli, hand, machine_memory
from armlab.cost import ModuleCost, cost_table, rules
from armlab.data import Scenes
from armlab.training import memory_needed
from armlab.training.config import Config
from armlab.training.loop import train
from armlab.training.start import make_learner

GIB = 2**30


@pytest.fixture(autouse=True)
def a_machine_of_24_gib(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine_memory, "machine_memory", lambda: 24 * GIB)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", "100000000"], r"a step with batch 100000000, .* needs at least \S+ TiB"),
        (["--size", "100000x100000", "--data", "nowhere"], r"size 100000x100000 and .* \S+ TiB"),
        (["--channels", "1000000000"], r"channels 1000000000 needs at least \S+ EiB"),
        (["--channels", str(10**40), "--model", "bisenet"], r"needs at least \S+ EiB"),
        (["--steps", "1000000000000000"], r"an epoch, .* steps, needs at least 2.842 PiB"),
        (["--steps", str(10**400)], r"an epoch, a tenth of 10+ steps, needs"),
        (["--threads", "1000000"], r"expected --threads of 1 to \d+, the cores here, got 1000000"),
    ],
)
@pytest.mark.parametrize("command", ["train", "ablate"])
def test_a_run_that_cannot_be_meant_is_a_sentence_at_once(arguments, words, command, capsys):
    started = time.process_time()
    assert cli.main([command, *arguments, "--out", "run"]) == 1
    assert time.process_time() - started < 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(words, line)
    assert "of memory, and this machine has 24 GiB: give" in line or "--threads" in line
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("model", ["toy", "toy-bisenet", "bisenet"])
@pytest.mark.parametrize("attention", ["none", "arm", "se", "sar", "cbam"])
def test_three_narrow_networks_tell_the_weights_and_maps_of_a_wide_one(model, attention):
    config = Config(model=model, attention=attention, channels=48, batch=3, size=(48, 80))
    assert memory_needed.step_bytes(config) == pytest.approx(
        memory_needed._narrow_bytes(config),
        rel=0.01,  # reductions are rounded to whole channels
    )


PEAK = """
import json, re, sys
import numpy as np
from armlab.training.config import Config
from armlab.training.start import make_learner
config = Config(**json.loads(sys.argv[1]))
learner, rng = make_learner(config), np.random.default_rng(0)
images = rng.standard_normal((config.batch, 3, *config.size), dtype="f4")
labels = rng.integers(0, 3, (config.batch, *config.size))
kib = lambda name: int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
open("/proc/self/clear_refs", "w").write("5")
before = kib("VmRSS")
learner.step(images, labels, 0.001)
print((kib("VmHWM") - before) * 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone tells the peak")
@pytest.mark.parametrize(
    "settings",
    [
        {"batch": 64, "attention": "none"},
        {"batch": 64, "attention": "cbam"},
        {"batch": 64, "backend": "torch"},
        {"model": "toy-bisenet", "batch": 32, "size": 128},
    ],
)
def test_the_estimate_is_below_what_a_step_really_takes(settings):
    command = [sys.executable, "-c", PEAK, json.dumps(settings)]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert 0.3 * peak < memory_needed.step_bytes(Config(**settings)) < peak


def test_what_fits_is_not_refused(monkeypatch):
    needed = memory_needed.step_bytes(Config())
    monkeypatch.setattr(machine_memory, "machine_memory", lambda: needed)
    memory_needed.expect_memory(Config())
    monkeypatch.setattr(machine_memory, "machine_memory", lambda: needed - 1)
    with pytest.raises(ValueError, match=r"needs at least 23\S* MiB"):
        memory_needed.expect_memory(Config())
    monkeypatch.setattr(machine_memory, "machine_memory", lambda: None)  # nobody says
    memory_needed.expect_memory(Config(batch=10**12))


def test_a_run_that_is_there_is_read_on_a_small_machine(monkeypatch):
    """Settings are checked against the machine once, as a run begins: a network loads anywhere."""
    monkeypatch.setattr(machine_memory, "machine_memory", lambda: 1)
    assert Config(threads=10**6, batch=10**9).threads == 10**6


def test_memory_as_the_system_and_a_container_say_it(monkeypatch, tmp_path):
    monkeypatch.undo()
    whole = machine_memory.machine_memory()
    assert 2**26 < whole < 2**50
    for text, found in {"max": whole, "1048576\n": 2**20, str(2**60): whole}.items():
        (tmp_path / "limit").write_text(text)
        monkeypatch.setattr(machine_memory, "GROUP_LIMITS", (tmp_path / "limit", tmp_path / "no"))
        assert machine_memory.machine_memory() == found
    monkeypatch.delattr("os.sysconf")
    assert machine_memory.machine_memory() == 2**60


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (24 * GIB, "24 GiB"),
        (3 * 2**59, "1.5 EiB"),
        (2**90, "1,073,741,824 EiB"),
    ],
)
def test_bytes_in_words(count, words):
    assert machine_memory.in_words(count) == words


def test_another_thread_trains_on_undisturbed_while_costs_are_counted():
    """Shapes run through the functions of a network: those of values stay what they are."""
    learner, other = (make_learner(Config(size=48, channels=4)) for _ in range(2))
    batches = [Scenes(size=48).batch(range(2 * n, 2 * n + 2)) for n in range(30)]
    expected = [learner.step(*batch, 0.01) for batch in batches]
    ended, costs = threading.Event(), []

    def count():
        while not ended.is_set():
            costs.append(ModuleCost(hand.ToyNet(rng=0).eval(), (1, 3, 64, 64)).total)

    counters = [threading.Thread(target=count) for _ in range(2)]
    for counter in counters:
        counter.start()
    try:
        found = [other.step(*batch, 0.01) for batch in batches]
    finally:
        ended.set()
        for counter in counters:
            counter.join()
    assert found == expected
    assert len(costs) > 2
    assert set(costs) == {ModuleCost(hand.ToyNet(rng=0).eval(), (1, 3, 64, 64)).total}
    gc.collect()


def test_a_step_amid_a_count_of_costs_is_the_step_that_it_is(monkeypatch):
    learner, other = (make_learner(Config(size=48, channels=4)) for _ in range(2))
    batch = Scenes(size=48).batch(range(2))
    cost = ModuleCost(hand.ToyNet(rng=0).eval(), (1, 3, 64, 64)).total
    work, begun, found = rules.work, [], []

    def work_with_a_step_beside_it(*inputs, **options):
        if not begun:
            begun.append(threading.Thread(target=lambda: found.append(other.step(*batch, 0.01))))
            begun[0].start()
            begun[0].join()
        return work(*inputs, **options)

    monkeypatch.setattr(rules, "work", work_with_a_step_beside_it)
    assert ModuleCost(hand.ToyNet(rng=0).eval(), (1, 3, 64, 64)).total == cost
    assert found == [learner.step(*batch, 0.01)]


def test_a_card_or_host_that_runs_out_is_a_sentence(monkeypatch, capsys):
    def too_much(*arguments):
        raise MemoryError("Unable to allocate 7 TiB")

    monkeypatch.setattr("armlab.training.run.make_learner", too_much)
    assert cli.main(["train", "--attention", "none", "--out", "run"]) == 1
    assert capsys.readouterr().err == (
        "armlab: memory ran out: Unable to allocate 7 TiB: give a smaller batch, size or width\n"
    )
    with pytest.raises(MemoryError):
        train(Config(), "run")


# -- cost and launches ----------------------------------------------------------------------------


def test_a_cost_beyond_the_machine_is_counted_in_columns_and_said(capsys):
    assert cli.main(["cost", "BiSeNet", "--size", "1000000x1000000"]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    (total,) = (line for line in table if line.startswith("total"))
    # 118.338 G multiply-adds at 1024x2048, and 10**12 / 2**21 times as many pixels: 56.43 P
    assert re.search(r"56\.428 P +100\.00 +\S+ T +\d\.\d+e\+\d\d$", total)
    assert len(total) == len(cost_table.HEADER)
    assert re.search(r"one map of it has 69.12 TiB in float32, and the memory 24 GiB\.", last)
    assert cli.main(["cost", "BiSeNet", "--size", "1024x2048"]) == 0
    assert "beyond this machine" not in capsys.readouterr().out


def test_launches_of_an_input_that_cannot_be_made_are_refused_before_cupy_comes(capsys):
    started = time.process_time()
    assert cli.main(["launches", "ToyNet", "--size", "1000000x1000000"]) == 1
    assert time.process_time() - started < 1
    error = capsys.readouterr().err
    assert "an input of --size 1000000x1000000 and --batch 2 needs at least 43.66 TiB" in error


def test_numbers_stay_exact():
    assert Config(steps=10**30 + 1).epoch == 10**29 + 1
    assert np.isfinite(Config(steps=10**30).rate(5))
