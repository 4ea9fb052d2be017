"""The twins are called alike: the same arguments in the same order, with the same defaults."""

import inspect
import pydoc
import re
from operator import attrgetter

import numpy as np
import pytest
from test_contracts import BUILT

import armlab.torch
from armlab import hand
from armlab.check.cases import FUNCTIONS, MODULES
from armlab.check.devices import strict_device
from armlab.hand.made import Made

HAND_ALONE = {"rng": None, "dtype": "float32", "device": "cpu"}  # by keyword only, see `Made`
THEIRS = {"BatchNorm2d": ("affine", "track_running_stats", "bias"), "Conv2d": ("padding_mode",)}
PLACE = ("device", "dtype")  # of torch's own layers


def arguments(thing):
    return {
        name: (p.kind, p.default)
        for name, p in inspect.signature(thing).parameters.items()
        if name not in (*HAND_ALONE, *PLACE, "made")
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
    if "made" not in parameters:  # it makes arrays itself; the others hand it on
        assert list(parameters)[-3:] == list(HAND_ALONE)
        for extra, default in HAND_ALONE.items():
            assert parameters[extra].kind == inspect.Parameter.KEYWORD_ONLY
            assert parameters[extra].default == default
    else:
        assert list(parameters)[-1] == "made"
        assert parameters["made"].kind == inspect.Parameter.VAR_KEYWORD
        assert not set(parameters) & set(HAND_ALONE)


def test_the_bundle_is_what_the_leaves_take():
    assert list(Made.__annotations__) == list(HAND_ALONE)


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_an_unknown_keyword_is_refused_by_name(name):
    options, build = BUILT[name].options, getattr(hand, name)
    build(**options, **HAND_ALONE)
    named = "|".join(kind.__name__ for kind in build.__mro__[:-2])  # Python names its __init__'s
    with pytest.raises(TypeError, match=rf"^({named})\.__init__\(\) got an unexpected .* 'dtyp'"):
        build(**options, dtyp="float64")
    for bad in ({"dtype": "float16"}, {"device": "gpu"}):
        with pytest.raises((TypeError, ValueError), match=r"^expected d.*: choose one"):
            build(**options, **bad)


@pytest.mark.parametrize("name", [case.name for case in MODULES])
def test_help_says_what_rng_dtype_and_device_are(name):
    words = pydoc.render_doc(getattr(hand, name), renderer=pydoc.plaintext)
    for extra, default in HAND_ALONE.items():
        assert re.search(rf"{extra} .*({default}|default)", words), extra
        assert extra in hand.__doc__


def array(*shape):
    return np.random.default_rng(sum(shape)).uniform(0.5, 2, shape).astype("f4")


def float32(values):
    return {
        key: a.astype("f4") if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for key, a in values.items()
    }


CALLS = {  # inputs, constants
    case.name: tuple(map(float32, case.calls[""](np.random.default_rng(0), (2, 3, 4, 6))))
    for case in FUNCTIONS
}
ANY_SHAPE = {case.name for case in FUNCTIONS if case.any_shape}


def value_of(name, inputs, constants):
    value, _ = getattr(hand, name)(**inputs, **constants)
    return value[0] if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", CALLS)
def test_a_default_is_what_the_signature_says(name):
    inputs, constants = CALLS[name]
    defaults = {
        key: default
        for key, (kind, default) in arguments(getattr(hand, name)).items()
        if kind == inspect.Parameter.KEYWORD_ONLY and default is not inspect.Parameter.empty
    }
    np.testing.assert_array_equal(
        value_of(name, inputs, constants), value_of(name, inputs, defaults | constants)
    )


@pytest.mark.parametrize("case", MODULES, ids=attrgetter("name"))
def test_a_default_of_a_module_is_what_the_signature_says(case):
    build = getattr(hand, case.name)
    parameters = inspect.signature(build).parameters.values()
    parameters = [p for p in parameters if p.kind != p.VAR_KEYWORD]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    options = case.built.options if case.built.needed is None else case.built.needed
    needed = {key: value for key, value in options.items() if key not in defaults}
    plain, written_out = build(**needed), build(**needed, **defaults)
    assert repr(plain) == repr(written_out)
    for (key, a), (same, b) in zip(
        plain.state_dict().items(), written_out.state_dict().items(), strict=True
    ):
        assert (key, a.shape, a.dtype) == (same, b.shape, b.dtype)


def given(name):
    """Inputs and constants of a call, by their names."""
    inputs, constants = CALLS[name]
    return inputs | constants


ARRAYS = [
    (name, key)
    for name in CALLS
    for key, a in given(name).items()
    if isinstance(a, np.ndarray) and a.dtype == "float32"
]
SEVERAL = [name for name in CALLS if [n for n, _ in ARRAYS].count(name) > 1]


@pytest.mark.parametrize(("name", "key"), [(n, k) for n, k in ARRAYS if n in SEVERAL])
def test_one_array_of_another_dtype_is_refused(name, key):
    inputs, constants = (
        {k: a.astype("f8") if k == key else a for k, a in part.items()} for part in CALLS[name]
    )
    with pytest.raises(TypeError, match="expected arrays of one dtype, float32 or float64, got"):
        value_of(name, inputs, constants)


@pytest.mark.parametrize(("name", "key"), ARRAYS)
def test_a_list_in_the_place_of_an_array_is_refused(name, key):
    inputs, constants = (
        {k: a.tolist() if k == key else a for k, a in part.items()} for part in CALLS[name]
    )
    with pytest.raises(TypeError, match="expected an array, got list: wrap it"):
        value_of(name, inputs, constants)


@pytest.mark.parametrize(("name", "key"), [(n, k) for n, k in ARRAYS if n in SEVERAL])
def test_one_array_of_another_library_is_refused(name, key):
    with strict_device() as where:
        inputs, constants = (
            {k: where.asarray(a) if k == key else a for k, a in part.items()}
            for part in CALLS[name]
        )
        with pytest.raises(TypeError, match=r"expected arrays of one library, got .* and .*: move"):
            value_of(name, inputs, constants)


VECTORS = [(name, key) for name, key in ARRAYS if given(name)[key].ndim == 1]
FEATURES = [  # the first input of a function, and each further map
    (name, key)
    for name, key in ARRAYS
    if name not in ANY_SHAPE and (key == next(iter(CALLS[name][0])) or key.startswith("x"))
]


@pytest.mark.parametrize(("name", "key"), VECTORS)
def test_a_vector_of_another_length_is_refused_by_name(name, key):
    inputs, constants = (
        {k: array(7) if k == key else a for k, a in part.items()} for part in CALLS[name]
    )
    with pytest.raises(ValueError, match=rf"^{name} expected {key} as \(\d,\).*got \(7,\)"):
        value_of(name, inputs, constants)


@pytest.mark.parametrize(("name", "key"), FEATURES)
def test_features_of_another_rank_are_refused_by_name(name, key):
    inputs, constants = CALLS[name]
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} expected \(N, C, H, W\), got"):
        value_of(name, inputs | {key: array(2, 3, 4)}, constants)
