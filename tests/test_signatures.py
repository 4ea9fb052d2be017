"""The twins are called alike: the same arguments in the same order, with the same defaults."""

import inspect
import re

import numpy as np
import pytest

import armlab.torch
from armlab import hand
from armlab.check.cases import FUNCTIONS, MODULES

HAND_ALONE = {"rng": None, "dtype": "float32", "device": "cpu"}  # by keyword only
THEIRS = {"BatchNorm2d": ("affine", "track_running_stats", "bias"), "Conv2d": ("padding_mode",)}
PLACE = ("device", "dtype")  # of torch's own layers


def arguments(thing):
    return {
        name: (p.kind, p.default)
        for name, p in inspect.signature(thing).parameters.items()
        if name not in (*HAND_ALONE, *PLACE)
    }


@pytest.mark.parametrize("name", [case.name for case in FUNCTIONS])
def test_a_function_has_the_arguments_of_its_twin(name):
    ours, theirs = arguments(getattr(hand, name)), arguments(getattr(armlab.torch, name))
    assert ours == theirs


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_a_module_has_the_arguments_of_its_twin(name):
    ours, theirs = arguments(getattr(hand, name)), arguments(getattr(armlab.torch, name))
    for extra in THEIRS.get(name, ()):
        del theirs[extra]
    assert {k: default for k, (_, default) in ours.items()} == {
        k: default for k, (_, default) in theirs.items()
    }
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_what_a_module_by_hand_has_beside_them_is_by_keyword(name):
    parameters = inspect.signature(getattr(hand, name)).parameters
    for extra in set(parameters) & set(HAND_ALONE):
        assert parameters[extra].kind == inspect.Parameter.KEYWORD_ONLY
        assert parameters[extra].default == HAND_ALONE[extra]


TAKES_ANY_SHAPE = {"relu", "leaky_relu", "sigmoid", "hard_swish"}
CONSTANTS = {
    "batch_norm_eval": {"mean": np.ones(3, "f4"), "var": np.ones(3, "f4")},
    "max_pool2d": {"kernel_size": 2},
    "resize_bilinear": {"size": 2},
    "resize_nearest": {"size": 2},
    "strip_mean": {"axis": 2},
    "cross_entropy": {},
}


@pytest.mark.parametrize("name", sorted({case.name for case in FUNCTIONS} - TAKES_ANY_SHAPE))
def test_a_function_that_refuses_its_input_says_who_refuses(name):
    function = getattr(hand, name)
    inputs = [
        p for p in inspect.signature(function).parameters.values() if p.kind != p.KEYWORD_ONLY
    ]
    given = [np.ones((2, 3, 4), "f4")] + [np.ones(3, "f4")] * (len(inputs) - 1)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} expected \(N, C, H, W\), got"):
        function(*given, **CONSTANTS.get(name, {}))
