"""What is counted by hand, in parts: each is a generator that works up to the end of a part.

    for part in of_module(…)():     # works, then gives "forward"; works, then gives "backward"

Whoever runs it can look between the parts. What a part needs is made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from armlab import hand
from armlab.arrays import Array, dtype_name, dtype_of
from armlab.bench.ready_call import several
from armlab.places import Place
from armlab.training.hand_learner import HandLearner
from armlab.training.networks import DESIGNS
from armlab.training.optimisers import SGD, Adam

SEED, RATE = 0, 1e-3
OPTIMISERS: dict[str, Callable[[], SGD | Adam]] = {"adam": Adam, "sgd": lambda: SGD(RATE)}
Parts = Callable[[], Iterator[str]]


def drawn_inputs(
    module: hand.Module, shapes: Sequence[tuple[int, ...]], dtype: Any = "float32"
) -> list[np.ndarray]:
    """One array for each shape, of the module's dtype; `dtype` is for one without weights."""
    first = next(iter(module.parameters().values()), None)
    name = dtype_of(dtype) if first is None else dtype_name(first)
    rng = np.random.default_rng(SEED)
    return [rng.standard_normal(shape).astype(name) for shape in shapes]


def drawn_batch(net: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, H, W) and labels (N, H, W). Raises ValueError for what is not trained."""
    networks = [design.network.__name__ for design in DESIGNS.values()]
    if type(net).__name__ not in networks:
        raise ValueError(
            f"expected a network of {', '.join(networks)} for a step, got {type(net).__name__}: "
            "ask for its forward and backward"
        )
    rng = np.random.default_rng(SEED)
    images = rng.standard_normal(shape).astype(np.float32)
    return images, rng.integers(0, net.classes, (shape[0], *shape[2:]))


def learner(net: Any, optimiser: str) -> HandLearner:
    return HandLearner(net, OPTIMISERS[optimiser]())


def of_module(
    module: hand.Module, inputs: Sequence[np.ndarray], here: Place, backward: bool
) -> Parts:
    """forward and, if asked for, backward, from a random gradient for each output."""
    xs = [here.asarray(a) for a in inputs]
    y, _ = module(*xs)
    dys = [here.asarray(a) for a in upstream(several(y), str(inputs[0].dtype))]
    dy = tuple(dys) if isinstance(y, tuple) else dys[0]

    def parts() -> Iterator[str]:
        _, back = module(*xs)
        yield "forward"
        if backward:
            back(dy)
            yield "backward"

    return parts


def of_step(learner: HandLearner, images: np.ndarray, labels: np.ndarray) -> Parts:
    """The update of a learner, line by line; images and labels are copied within it."""

    def parts() -> Iterator[str]:
        y, net_back = learner.net(learner.place.asarray(images, learner.dtype))
        yield "forward"
        _, loss_back = learner.loss(y, labels)
        yield "loss"
        _, grads = net_back(loss_back(1.0), input_grad=False)
        yield "backward"
        learner.optimiser.step(learner.net, grads, RATE)
        yield "optimiser"

    return parts


def upstream(ys: Sequence[Array], dtype: str) -> list[np.ndarray]:
    """A random gradient on the host for each of these."""
    rng = np.random.default_rng(SEED + 1)
    return [rng.standard_normal(tuple(y.shape)).astype(dtype) for y in ys]
