"""What Hypothesis drew: every layout, value class, geometry, dtype and mode comes up in CI.

A property holds for what was drawn and for nothing else, so each of these would be a hole.
"""

from collections import Counter

import numpy as np
import pytest
from hypothesis import settings

from armlab.check import strategies
from armlab.check.cases import CASES, FUNCTIONS, MODULES
from armlab.check.cases.conv2d import window_of
from armlab.check.layouts import LAYOUTS
from armlab.check.sides import run_torch
from armlab.check.strata import for_all
from armlab.check.strategies import BOUNDED
from armlab.hand import kernels


@pytest.fixture
def events(monkeypatch):
    """Counts what the strategies report while they draw."""
    seen = Counter()
    monkeypatch.setattr(strategies, "event", lambda text: seen.update([text]))
    return seen


def draw_all(name):
    """As many examples of a case as its test of agreement draws in this profile."""
    drawn = []

    def draw(e):
        drawn.append(e)

    for_all(CASES[name].strata(settings().max_examples), draw)
    return drawn


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_every_class_of_values_and_every_layout_is_drawn(case, events):
    draw_all(case.name)
    wanted = {f"values: {kind}" for kind in (*BOUNDED, "large shape")}
    wanted |= {f"layout: {layout}" for layout in LAYOUTS if case.empty or layout != "zero-size"}
    assert wanted <= set(events), wanted - set(events)


def test_every_geometry_of_a_convolution_is_drawn():
    drawn = draw_all("conv2d")
    options = [e.options for e in drawn]
    sizes = {e.inputs["w"].shape[2:] for e in drawn}
    assert len(sizes) >= 9  # the turns of the strata bring up 9 of the 12 for sure
    for axis, values in enumerate([(1, 2, 3, 4, 5), (1, 2, 3)]):
        assert {size[axis] for size in sizes} == set(values)
    assert {o["groups"] for o in options} == {1, 2, 3}
    for axis, values in enumerate([(1, 2, 3), (1, 2)]):
        assert {o["stride"][axis] for o in options} == set(values)
    for axis, values in enumerate([(0, 1, 2), (0, 1, 3)]):
        assert {o["padding"][axis] for o in options} >= set(values)  # more are nearly Winograd's
    for axis, values in enumerate([(1, 2), (1, 3)]):
        assert {o["dilation"][axis] for o in options} == set(values)
    assert {e.inputs["b"] is None for e in drawn} == {True, False}


def test_every_fast_convolution_is_drawn():
    chosen = Counter(
        kernels.choose("conv2d", e.inputs["x"], e.inputs["w"], window_of(e), e.options["groups"])
        for e in draw_all("conv2d")
    )
    rows = [row for row in kernels.TABLE if row.library is kernels.numpy]
    assert set(chosen) == {row.run for row in rows if row.function == "conv2d"}
    assert min(chosen.values()) >= 5


def test_a_length_of_one_comes_up_on_every_axis_and_lengths_differ():
    shapes = [e.inputs["x"].shape for e in draw_all("global_avg_pool")]
    assert all(any(shape[axis] == 1 for shape in shapes) for axis in range(4))
    assert all(len(set(shape)) == 4 for shape in shapes if 0 not in shape)


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_both_modes_are_drawn(name):
    assert {e.training for e in draw_all(name)} == {True, False}


@pytest.mark.parametrize(
    ("name", "option", "values"),
    [
        ("AttentionRefinementModule", "activation", {"leaky_relu", "relu"}),
        ("BiSeNet", "reduction", {None, 1, 4}),
        ("CBAMSpatial", "kernel_size", {7, 3, 1}),
        ("Conv2d", "bias", {True, False}),
        ("BasicBlock", "stride", {1, 2}),
    ],
)
def test_every_choice_of_a_module_is_drawn(name, option, values):
    assert {e.options[option] for e in draw_all(name)} == values


def test_every_single_thing_that_winograd_asks_for_is_missing_in_some_example(events):
    draw_all("conv2d")
    lacking = ("dilation", "rows", "stride", "groups", "width")
    assert {f"nearly winograd: {what}" for what in lacking} <= set(events)


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_special_values_are_drawn_and_leave_something_to_judge(case):
    """Where they reached every result, nothing would be judged."""
    spoiled = [e for e in draw_all(case.name) if e.clean is not None]
    assert len(spoiled) >= 4
    with np.errstate(all="ignore"):
        left = [unreached_places(case.name, e) for e in spoiled]
    assert sum(count > 0 for count in left) >= len(left) / 2


def unreached_places(name, e):
    """How many numbers the special values of an example do not change."""
    exact, reached = run_torch(name, e.clean, "float64"), run_torch(name, e, "float64")
    return sum(int((a == reached[key]).sum()) for key, a in exact.items() if a is not None)
