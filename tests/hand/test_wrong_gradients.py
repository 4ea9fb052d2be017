"""What a backward is given: a gradient of its y, or one sentence. Every function, every module."""

import inspect

import numpy as np
import pytest
import torch
from test_contracts import BUILT, inputs_of
from test_signatures import CALLS

from armlab import hand
from armlab.check.devices import strict_device, torch_tensors
from armlab.hand.upstream import WITH_STATISTICS


def answer_of(name):
    """y and backward of a function or a module, small, in float32; y without the statistics."""
    if name in CALLS:
        inputs, constants = CALLS[name]
        value, backward = getattr(hand, name)(**inputs, **constants)
        return (value[0] if name in WITH_STATISTICS else value), backward
    module = getattr(hand, name)(**BUILT[name].options)
    return module(*inputs_of(module))


def drawn(shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("f4")


def none_of(y):
    """By name, what is no gradient of this y: most would broadcast to it, or widen it."""
    shape = y.shape
    wrong = {"None": None, "a list": y.tolist() if shape else [1.0], "a word": "1.0"}
    wrong |= {"a tuple": (y,), "float64": y.astype("f8"), "integers": y.astype("i4")}
    wrong |= {"another library": torch.tensor(y), "more axes": drawn((1, *shape))}
    if not shape:
        return wrong | {"float64 of NumPy": np.float64(1.0), "True": np.True_}
    for i, n in enumerate(shape):  # 1 where there are several, and several where there is 1
        wrong[f"axis {i}"] = drawn((*shape[:i], 1 if n > 1 else 3, *shape[i + 1 :]))
    wrong |= {"a number": 1.0, "no axes": np.float32(1.0), "fewer axes": drawn(shape[1:])}
    if shape != shape[::-1]:
        wrong["transposed"] = drawn(shape[::-1])
    return wrong


@pytest.mark.parametrize("name", [*CALLS, *BUILT])
def test_what_is_no_gradient_of_y_is_refused_by_name(name):
    y, backward = answer_of(name)
    several = y if isinstance(y, tuple) else (y,)
    for i, output in enumerate(several):
        for what, dy in none_of(output).items():
            if dy is None and len(several) > 1 and name in BUILT:
                continue  # nobody used this output
            given = (*several[:i], dy, *several[i + 1 :]) if len(several) > 1 else dy
            with pytest.raises((TypeError, ValueError)) as caught:
                backward(given)
            words = str(caught.value)
            assert words.startswith(f"{name}'s backward expected dy "), (what, words)
            assert ", got " in words, (what, words)
            assert ": " in words.partition(", got ")[2], (what, words)
            assert "\n" not in words


@pytest.mark.parametrize("name", [*CALLS, *BUILT])
def test_a_gradient_of_y_is_taken(name):
    """In any layout, and of a loss as a number as well."""
    y, backward = answer_of(name)
    several = y if isinstance(y, tuple) else (y,)
    backward(y)
    flipped = tuple(np.asfortranarray(a) if a.ndim else a for a in several)
    backward(flipped if isinstance(y, tuple) else flipped[0])
    if y is several[0] and y.shape == ():
        for one in (1.0, 1, np.float32(1), np.array(1, "f4")):
            backward(one)


OUTPUTS = [name for name in BUILT if isinstance(answer_of(name)[0], tuple)]


@pytest.mark.parametrize("name", [*OUTPUTS, "split_strips"])
def test_several_outputs_want_several_gradients(name):
    y, backward = answer_of(name)
    none = (None,) * len(y)
    for wrong in (y[0], list(y), y[:-1], (*y, y[0]), none, None):
        with pytest.raises(ValueError, match=rf"^{name}'s backward expected a tuple of {len(y)} "):
            backward(wrong)
    if name in BUILT:
        backward((y[0], *none[1:]))


@pytest.mark.parametrize("name", [*CALLS, *BUILT])
def test_a_judged_backward_has_the_arguments_of_its_own(name):
    _, backward = answer_of(name)
    own = inspect.unwrap(backward)
    assert own is not backward
    assert inspect.signature(backward) == inspect.signature(own)


def test_on_a_device_the_words_are_the_same():
    with strict_device() as where:
        y, backward = hand.relu(where.asarray(drawn((2, 3, 4, 5))))
        backward(y)
        with pytest.raises(ValueError, match=r"^relu's backward expected dy as \(2, 3, 4, 5\) "):
            backward(y[:, :1, :, :])
        with pytest.raises(TypeError, match="expected dy in float32 like its y, got float64: conv"):
            backward(where.xp.astype(y, where.xp.float64))
        with pytest.raises(TypeError, match=r"an array of array_api_strict .* got an array of num"):
            backward(drawn((2, 3, 4, 5)))


def test_tensors_are_as_good_and_so_is_a_subclass():
    y, backward = hand.relu(torch_tensors().asarray(drawn((2, 3))))
    backward(torch.nn.Parameter(y.clone()))
    with pytest.raises(TypeError, match="expected dy in float32 like its y, got float64: convert"):
        backward(y.double())
    with pytest.raises(TypeError, match="as an array of torch like its y, got an array of numpy"):
        backward(drawn((2, 3)))
