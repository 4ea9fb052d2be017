"""The walk in the docstring of `armlab.training`: five stops, in this order, and no sixth."""

import re
import sys
from functools import cache
from pathlib import Path

import pytest

import armlab
from armlab import cli, training

ROOT = Path(armlab.__file__).parent
STOPS = re.findall(r"^(\d)\. (\S+\.py), ([\w.]+): ", training.__doc__, re.MULTILINE)
FAST = ["--attention", "arm", "--steps", "1", "--batch", "2", "--size", "48", "--channels", "4"]


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


@cache
def place(code):
    """(file in armlab/, function) of a code object; None for one of something else."""
    path = Path(code.co_filename)
    return (path.relative_to(ROOT).as_posix(), code.co_qualname) if ROOT in path.parents else None


def callers(frame):
    while frame := frame.f_back:
        if found := place(frame.f_code):
            yield found


def first_calls(wanted, action):
    """Of each wanted place, in the order in which they are entered: who called, nearest first."""
    found = {}

    def note(frame, event, argument):
        if event == "call" and (at := place(frame.f_code)) in wanted and at not in found:
            found[at] = list(callers(frame))

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return found


def test_a_run_makes_the_five_stops_in_order_and_each_is_called_from_one_before():
    stops = [(path, function) for _, path, function in STOPS]
    assert [number for number, _, _ in STOPS] == ["1", "2", "3", "4", "5"]
    found = first_calls(stops, lambda: cli.main(["train", *FAST, "--out", "run"]))
    assert list(found) == stops
    files = ["cli.py"]
    for stop in stops:
        caller, _ = found[stop][0]
        assert caller in files, f"{stop} is called from {caller}, which is no stop before it"
        files.append(stop[0])
    assert {path for path, _ in found[stops[-1]]} <= set(files)  # nothing stands in between


def test_a_reader_who_steps_into_the_network_meets_its_modules_alone():
    """Nothing replaces `forward` or listens in on an ordinary step."""
    conv = ("hand/conv2d.py", "conv2d")
    on_the_way = first_calls([conv], lambda: cli.main(["train", *FAST, "--out", "run"]))[conv]
    own = [path for path, _ in on_the_way]
    own = own[: own.index("training/hand_learner.py")]
    assert {Path(path).parent.name for path in own} == {"hand"}
    assert own[-2:] == ["hand/toy_net.py", "hand/module.py"]
