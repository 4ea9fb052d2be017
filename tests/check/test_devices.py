"""On a device as on the host: the same float32 numbers, in the same dtype and at that place."""

from operator import attrgetter

import numpy as np
import pytest
from test_adjoint import CALLS, LAYERS, SHAPES, built, drawn, outputs_of

from armlab import hand
from armlab.arrays import dtype_name, to_host
from armlab.check.devices import strict_device
from armlab.places import HOST


def results(function, inputs, dy_rng, where):
    """The value and the gradients of float32 inputs at this place."""
    y, backward = function(*(where.asarray(x, "float32") for x in inputs))
    ys = y if isinstance(y, tuple) else (y,)
    dys = tuple(where.asarray(dy_rng.standard_normal(tuple(y.shape)), "float32") for y in ys)
    grads = backward(dys if isinstance(y, tuple) else dys[0])
    return [*ys, *(grads if isinstance(grads, tuple) else (grads,))]


def expect_alike(function_at, inputs):
    on_host = results(function_at(HOST), inputs, np.random.default_rng(1), HOST)
    with strict_device() as where:
        there = results(function_at(where), inputs, np.random.default_rng(1), where)
        for mine, theirs in zip(on_host, there, strict=True):
            if mine is None:
                assert theirs is None
                continue
            assert theirs.device == where.device
            assert dtype_name(theirs) == dtype_name(mine) == "float32"
            # matrix products may be summed in another order: n u of a few hundred terms
            size = max(1.0, float(np.abs(mine).max()))
            np.testing.assert_allclose(to_host(theirs), mine, rtol=0, atol=5e-5 * size)


@pytest.mark.parametrize("name", CALLS)
def test_a_function(name):
    case, call = CALLS[name]
    inputs, options = call(np.random.default_rng(0), SHAPES[0])

    def at(where):
        there = {
            key: where.asarray(value, "float32") if is_floating(value) else value
            for key, value in options.items()
        }
        return outputs_of(case.name, **there)

    expect_alike(at, inputs.values())


def is_floating(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", LAYERS, ids=attrgetter("name"))
def test_a_module(case, training):
    inputs = drawn(case, np.random.default_rng(0), 4, 6, 5)
    made = built(case, training)

    def at(where):
        module = as_float32(made).to(where)

        def call(*arrays):
            y, backward = module(*arrays)
            return y, lambda dy: flat(backward(dy), module)

        return call

    expect_alike(at, inputs)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64"])
def test_labels_of_any_integer_dtype(dtype):
    a = np.random.default_rng(0).standard_normal((2, 3, 3, 4))
    labels = np.random.default_rng(1).integers(0, 3, (2, 3, 4))  # -1 fits not into every dtype
    want, _ = hand.cross_entropy(a, labels)
    with strict_device() as where:
        there = where.asarray(a)
        for given in (labels.astype(dtype), where.asarray(labels, dtype)):
            loss, _ = hand.cross_entropy(there, given, ignore_index=255)
            np.testing.assert_allclose(to_host(loss), want, rtol=1e-12)
        loss, _ = hand.cross_entropy(there, labels.astype(dtype), ignore_index=-1)
        np.testing.assert_allclose(to_host(loss), want, rtol=1e-12)


def as_float32(module):
    """A copy; `assign` refuses another dtype, so each array is set where it stands."""
    module = module.copy()
    for _, part in module.named_modules():
        for name, value in vars(part).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                setattr(part, name, value.astype("float32"))
    return module


def flat(found, module):
    *dinputs, grads = found
    return (*dinputs, *(grads[key] for key in module.parameters()))
