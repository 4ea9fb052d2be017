"""The host's time of a step on CuPy: the step is whole, and the device does nothing meanwhile."""

import numpy as np
import pytest

from armlab.bench import host_time
from armlab.bench.host_time import HostTime
from armlab.bench.yardstick import Row

pytestmark = pytest.mark.emulated
SMALL = Row("ToyNet", (2, 3, 16, 16), {"attention": "arm", "channels": 4}, step=True)


def test_a_line_says_milliseconds_launches_and_their_ratio():
    words = "2.00 ms, at least 1.00; 80 launches, 25 µs each"
    assert str(HostTime([1.0, 2.0, 9.0], 80)) == words


def test_a_step_launches_what_is_counted_and_reads_the_loss(cupy_place):
    """One kernel and one copy more than `armlab launches` has."""
    found = host_time.measure(host_time.steps([SMALL], cupy_place))
    assert list(found) == ["ToyNet"]
    assert found["ToyNet"].launches == SMALL.counted().launched + 2


def test_the_device_is_idle_in_the_turns(monkeypatch, cupy_place):
    touched, losses = cupy_place.asarray(np.zeros(3), "float32"), []

    def turns(steps):
        touched[...] = 1
        losses.append(steps["ToyNet"]())
        return {name: [3.0] for name in steps}

    monkeypatch.setattr(host_time, "turns", turns)
    assert host_time.measure(host_time.steps([SMALL], cupy_place))["ToyNet"].ms == [3.0]
    assert touched.get().tolist() == [0, 0, 0]
    assert isinstance(losses[0], float)


def test_the_command_prints_a_line_and_a_profile_for_each_network(monkeypatch, capsys):
    monkeypatch.setattr(host_time, "STEPS", [SMALL])
    monkeypatch.setattr(host_time, "turns", lambda steps: {name: [2.0] for name in steps})
    assert host_time.main(["--profile"]) == 0
    line, *profile = capsys.readouterr().out.splitlines()
    assert line.startswith("a step of ToyNet: 2.00 ms, at least 2.00; ")
    assert any("(launch_blocks)" in row for row in profile)
    assert host_time.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_without_an_emulated_device_the_command_says_why(monkeypatch, capsys):
    def absent(device):
        raise RuntimeError(f"there is no device {device!r} here: install g++")

    monkeypatch.setattr(host_time, "place", absent)
    assert host_time.main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "host_time: there is no device 'emulated' here: install g++\n"
