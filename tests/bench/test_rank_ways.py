"""Timing ranks: every way is timed, and what is predicted of it follows from what was measured."""

import json

import pytest

from armlab.bench import machine, ranks
from armlab.bench.rank_steps import LARGE
from armlab.bench.rank_tables import as_text
from armlab.cost.exchanges import exchanges
from armlab.training.config import Config
from armlab.training.start import make_net

SETTINGS = {"model": "toy", "attention": "arm", "batch": 16, "size": "48", "channels": 4}
LATENCY, BANDWIDTH = 0.001, 1e9


def pretended(way, settings, steps, folder):
    """0.01 s an image, twice that if synchronised, shared out; exchanges of a given speed."""
    batch = way.batch or settings["batch"]
    large = 2 * LATENCY + LARGE / BANDWIDTH  # at two ranks a sum sends each byte once
    two = way.processes == 2
    return {
        "step": (0.02 if way.sync else 0.01) * batch / way.processes / way.threads,
        "small": LATENCY if two else None,
        "large": large if two else None,
    }


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(ranks.Way, "seconds", pretended)


@pytest.mark.usefixtures("four_cores")
def test_every_way_is_timed_and_its_prediction_follows_from_the_measured_numbers():
    found = ranks.measure(SETTINGS, [1, 2, 8], steps=1, rounds=3)
    images = {row["way"]: row["images_per_second"] for row in found["rows"]}
    assert images == pytest.approx(
        {
            "by hand, 1 process": 100,
            "by hand, 1 process, 4 threads": 400,
            "by hand, 2 processes": 200,
            "by hand, 2 processes, synchronised": 100,
            "by hand, 8 processes": 800,
            "by hand, 8 processes, synchronised": 400,
            "PyTorch, 1 process": 100,
            "PyTorch, 1 process, 4 threads": 400,
            "PyTorch, 2 processes": 200,
            "PyTorch, 8 processes": 800,
        }
    )
    model = found["model"]
    assert (model["latency_us"], model["gbps"]) == pytest.approx((1000, 1))
    steps = {step["way"]: step for step in model["steps"]}
    assert len(steps) == 5
    eight = steps["by hand, 8 processes, synchronised"]
    sent = exchanges(make_net(Config(**SETTINGS)), True)
    exchange = sum(e.messages(8) * LATENCY + e.sent(8) / BANDWIDTH for e in sent)
    assert eight["part"] == 2
    assert eight["computes_ms"] == pytest.approx(2 * 40)  # of two images, two turns on each core
    assert eight["exchange_ms"] == pytest.approx(1e3 * exchange)
    assert eight["predicted_ms"] == pytest.approx(eight["computes_ms"] + eight["exchange_ms"])
    assert eight["measured_ms"] == pytest.approx(1e3 * 0.02 * 16 / 8)
    assert steps["by hand, 1 process"]["exchange_ms"] == 0


@pytest.mark.usefixtures("four_cores")
def test_tables_have_every_way(capsys):
    assert ranks.main(["--processes", "1", "2", "--rounds", "1"]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert first.count("by hand") == 4
    assert first.count("PyTorch") == 3
    assert second.count("by hand") == 3
    assert "1000 µs a message and 1.00 GB/s" in second


@pytest.mark.usefixtures("four_cores")
def test_without_two_processes_nothing_is_predicted():
    found = ranks.measure(SETTINGS, [1], steps=1, rounds=1)
    assert found["model"] == {}
    assert "predicted" not in as_text(found)


def test_two_processes_take_steps_and_exchange(tmp_path):
    found = ranks.Way("numpy", 2, sync=True).seconds(SETTINGS, 1, tmp_path)
    assert set(found) == {"step", "small", "large"}
    assert all(seconds > 0 for seconds in found.values())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--processes", "0"], "expected --processes, --steps and --rounds of at least 1"),
        (["--model", "none"], "expected model toy or toy-bisenet or bisenet, got 'none'"),
    ],
)
def test_what_cannot_be_timed_is_refused(capsys, typed, said):
    with pytest.raises(SystemExit) as ended:
        ranks.main(typed)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_part_too_small_is_said_before_anything_is_timed(capsys):
    with pytest.raises(SystemExit):
        ranks.main(["--processes", "2", "--batch", "2"])
    assert "two images for each of 2 processes" in capsys.readouterr().err


def test_json_is_what_was_measured(capsys, four_cores):
    ranks.main(["--processes", "2", "--rounds", "1", "--json"])
    assert json.loads(capsys.readouterr().out)["settings"]["attention"] == "arm"
