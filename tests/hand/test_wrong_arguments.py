"""What a constructor or a constant cannot mean is refused: all modules, by their signatures.

The values come from the annotation of the argument, so that a new module is held to them as well.
"""

import inspect

import numpy as np
import pytest
from test_contracts import BUILT
from test_signatures import CALLS, HAND_ALONE

from armlab import hand

NAN, INF = float("nan"), float("inf")
NO_COUNT = [0, -1, 2.5, 2.0, True, "8", NAN, INF, [3], 10**30, np.float32(4), np.True_, object()]
NO_PAIR = [*(v for v in NO_COUNT if v != [3]), None, (2,), (3, 3, 3), (3, -1), (3, True), "33"]
NO_NUMBER = [-1, True, "1e-4", None, NAN, INF, -INF, [0.1], 1j, np.float64(NAN)]
NO_NAME = ["", "gelu", 3, None, True, ["relu"], {}, NAN]
WRONG = {
    "int": [*NO_COUNT, None],
    "int | None": NO_COUNT,
    "int | Pair": NO_PAIR,
    "int | Pair | None": [v for v in NO_PAIR if v is not None],
    "tuple[int, int]": [64, (4,), (4, 4, 4), (4, 0), (0, 4), (4, True), (4, 2.5), None, "64"],
    "float": NO_NUMBER,
    "str": NO_NAME,
    "bool": ["no", "", 0, 1, None, [], np.False_],
    "Array": [1.0, [1.0], "1", None, 3],
    "Array | None": [1.0, [1.0], "1", 3],
}
ALONE = {
    "rng": [-1, 2.5, True, "0", [0], NAN, np.random],
    "dtype": ["float16", "int32", "f9", None, 3, bool, complex],
    "device": ["gpu", "cuda:x", "", 3, None, True],
}
MEANT = {"padding": [0], "ignore_index": [0, -1, 10**30]}  # the right ones among them


def wrong_for(thing, skip=()):
    for key, p in inspect.signature(thing).parameters.items():
        if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) or key in skip or key in HAND_ALONE:
            continue
        assert p.annotation in WRONG, f"say what {p.annotation} cannot mean: {key} of {thing}"
        for value in WRONG[p.annotation]:
            if repr(value) not in map(repr, MEANT.get(key, ())):
                yield key, value


def refused(call, **arguments):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(**arguments)
    words = str(caught.value)
    assert "expected " in words, words
    assert ": " in words.partition(", got ")[2], words
    assert "\n" not in words


MODULES = [(name, *wrong) for name in BUILT for wrong in wrong_for(getattr(hand, name))]
MODULES += [(name, key, value) for name in BUILT for key in ALONE for value in ALONE[key]]
FUNCTIONS = [
    (name, *wrong)
    for name, (inputs, _) in CALLS.items()
    for wrong in wrong_for(getattr(hand, name), skip=inputs)
]


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.filterwarnings("error")
def test_an_argument_that_cannot_be_meant_is_refused(name):
    for _, key, value in (wrong for wrong in MODULES if wrong[0] == name):
        refused(getattr(hand, name), **BUILT[name].options | {key: value})


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name][1]])
def test_a_constant_that_cannot_be_meant_is_refused(name):
    inputs, constants = CALLS[name]
    for _, key, value in (wrong for wrong in FUNCTIONS if wrong[0] == name):
        refused(getattr(hand, name), **inputs, **constants | {key: value})


def test_hundreds_of_arguments_are_judged():
    assert len(MODULES) > 1500
    assert len(FUNCTIONS) > 200


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, np.int8(64)])
def test_integers_of_numpy_are_taken_and_true_is_none(wrong):
    if isinstance(wrong, np.int8):
        assert hand.Conv2d(wrong, 2, np.int64(1), rng=np.int64(3)).in_channels == 64
    else:
        refused(hand.EffectiveSE, channels=wrong)


# -- states ---------------------------------------------------------------------------------------

A = np.ones((3,), "f4")
NO_DICT, NO_ARRAY = "expected a dict of arrays by key, got ", "expected an array for key "
NOT_REAL = "expected real numbers for key 'bias', got "
STATES = {
    "a list": ([1, 2], rf"{NO_DICT}list: give it what state_dict\(\)"),
    "nothing": (None, f"{NO_DICT}NoneType: "),
    "an array": (A, f"{NO_DICT}ndarray: "),
    "a list for an array": ({"bias": [1, 2, 3]}, f"{NO_ARRAY}'bias', got list: wrap"),
    "a number": ({"bias": 1.0}, f"{NO_ARRAY}'bias', got float: wrap"),
    "None": ({"bias": None}, f"{NO_ARRAY}'bias', got NoneType: wrap"),
    "an unknown key": ({"a": [1, 2]}, f"{NO_ARRAY}'a', got list: wrap"),
    "a nest": ({"conv": {"bias": A}}, f"{NO_ARRAY}'conv', got dict: put its entries beside it"),
    "complex": ({"bias": A + 1j}, f"{NOT_REAL}complex"),
    "words": ({"bias": np.array(["1", "2", "3"])}, f"{NOT_REAL}<U1"),
    "objects": ({"bias": A.astype(object)}, f"{NOT_REAL}object"),
    "truths": ({"bias": A > 0}, f"{NOT_REAL}bool"),
}


@pytest.mark.parametrize("what", STATES)
def test_what_is_no_state_is_refused_by_key(what):
    state, words = STATES[what]
    conv = hand.Conv2d(3, 3, 1, rng=0)
    with pytest.raises(TypeError, match=f"^Conv2d {words}"):
        conv.load_state_dict(state)
    if words.startswith(NOT_REAL):
        with pytest.raises(ValueError, match=r"^Conv2d expected bias as float32 \(3,\), got"):
            conv.assign(state)
    else:
        with pytest.raises(TypeError, match=f"^Conv2d {words}"):
            conv.assign(state)
    assert (conv.bias == 0).all()
