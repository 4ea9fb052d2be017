"""Steps of optimisers on drawn gradients, and all bits that they leave behind."""

import numpy as np

from armlab.arrays import to_host
from armlab.hand import Module
from armlab.training.optimisers import SGD, Adam

STEPS = 50
RULES = {
    "sgd": lambda: SGD(0.05),
    "sgd plain": lambda: SGD(0.05, momentum=0.0),
    "sgd decay": lambda: SGD(0.05, 0.8, weight_decay=0.03),
    "adam": lambda: Adam(0.01),
    "adam decay": lambda: Adam(0.01, (0.8, 0.95), 1e-6, weight_decay=0.03),
}
SHAPES = {  # around the 256 threads of a block, and odd
    "weight": (3, 5, 3, 3),
    "bias": (7,),
    "one": (1,),
    "none": (0, 4),
    "before": (5, 51),
    "even": (256,),
    "behind": (257, 1),
    "many": (13, 59),
    "last": (2, 3),
}


class Arrays(Module):
    """Arrays to train; no forward, as gradients are drawn."""

    parameter_names = tuple(SHAPES)

    def __init__(self, dtype, where):
        rng = np.random.default_rng(11)
        for name, shape in SHAPES.items():
            setattr(self, name, where.asarray(rng.normal(size=shape), dtype))


def gradients(step, dtype, where):
    rng = np.random.default_rng([12, step])
    scale = 10.0 ** rng.integers(-3, 2)  # moments have to follow sudden changes
    found = {name: scale * rng.normal(size=shape) for name, shape in SHAPES.items()}
    found["even"][::3] = 0.0
    return {name: where.asarray(a, dtype) for name, a in reversed(found.items())}


def rate(step):
    return 0.02 * (1 + step % 7) / 7


def trained(name, dtype, where, steps=range(STEPS), module=None, optimiser=None):
    module, optimiser = module or Arrays(dtype, where), optimiser or RULES[name]()
    for step in steps:
        optimiser.step(module, gradients(step, dtype, where), rate(step))
    return module, optimiser


def bits(module, optimiser):
    """All that the next step goes on from, on the host."""
    state = {key: a for key, a in optimiser.state_dict().items() if key != "steps"}
    return {key: to_host(a) for key, a in (module.parameters() | state).items()}


def expect_same_bits(got, want):
    assert got.keys() == want.keys()
    for key, a in want.items():
        np.testing.assert_array_equal(got[key], a, err_msg=key, strict=True)
