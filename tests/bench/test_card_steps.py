"""The steps that are timed on a card: the three sides do the same, in turns."""

import pytest
import torch

from armlab.bench import card_steps
from armlab.bench.yardstick import Row

SMALL = Row("ToyNet", (2, 3, 16, 16), {"attention": "arm", "channels": 4}, step=True)


def test_the_sides_take_turns_and_the_median_counts(monkeypatch):
    now, said = [0.0], []

    def side(name, seconds):
        took = iter(seconds)

        def run():
            said.append(name)
            now[0] += next(took)

        return run

    monkeypatch.setattr(card_steps.time, "perf_counter", lambda: now[0])
    sides = {"hand": side("hand", [9, 1, 2, 30]), "torch": side("torch", [9, 4, 4, 4])}
    assert card_steps.in_turns(sides, rounds=3, warm_up=1) == {"hand": 2000.0, "torch": 4000.0}
    assert said == ["hand", "torch", "torch", "hand"] * 2


def test_both_networks_are_timed():
    assert [row.module for row in card_steps.STEPS] == ["ToyNet", "ToyBiSeNet"]


@pytest.mark.cupy
def test_the_sides_compute_the_same_losses(cupy_place):
    """So what is timed is one thing done three times; PyTorch's is on the CPU here."""
    sides = card_steps._sides(SMALL, cupy_place, "cpu")
    losses = {name: [step() for _ in range(2)] for name, step in sides.items()}
    assert list(losses) == ["hand", "reference", "torch"]
    assert losses["hand"][0] != losses["hand"][1]
    assert losses["hand"] == pytest.approx(losses["torch"], rel=1e-3)
    assert losses["reference"] == pytest.approx(losses["torch"], rel=1e-3)


@pytest.mark.emulated
def test_the_reference_runs_no_kernel_and_so_launches_more(cupy_place):
    counts = card_steps._measured(SMALL, cupy_place)["launches"]
    assert counts["reference"] > 5 * counts["hand"]
    assert counts["torch"] > 0


@pytest.mark.emulated
def test_a_network_that_fails_is_said(cupy_place, monkeypatch):
    def broken(row):
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(card_steps, "_counted", broken)
    rows = list(card_steps.measure(cupy_place))
    assert [row["failed"] for row in rows] == ["RuntimeError: out of"] * 2


def test_tf32_is_off_within_the_block_and_as_before_after_it():
    backends = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = [b.fp32_precision for b in backends]
    with card_steps.ieee():
        assert [b.fp32_precision for b in backends] == ["ieee", "ieee"]
    assert [b.fp32_precision for b in backends] == before
