"""How modules are drawn: small, with random weights and running statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from armlab import hand
from armlab.check.example import Example, by_name
from armlab.check.strategies import Shape, Source
from armlab.hand.conv_attention import names_behind_a_convolution

Draw = Callable[[Source], Example]


def module_example(s: Source, name: str, options: dict[str, Any], given: Any, out: Any) -> Example:
    """Values from a seed: a network of them does not shrink to anything one could read.

    given  the shape of the input; {name: shape} of several inputs
    out    the shape of the output; a list of several outputs
    """
    given = given if isinstance(given, dict) else {"x": given}
    rng = np.random.default_rng(s.seed())
    training = s.pick(True, False)
    s.note(f"mode: {'train' if training else 'eval'}")

    def normal(shape: tuple[int, ...]) -> np.ndarray:
        return _rounded(rng.standard_normal(shape))

    inputs = {name: normal(shape) for name, shape in given.items()}
    state = {}
    for key, a in getattr(hand, name)(**options).state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = np.asarray(3)
        elif key.endswith("running_var"):
            state[key] = _rounded(0.5 + np.abs(normal(a.shape)))
        else:  # as networks draw them, so that values stay of order 1 through many layers
            state[key] = _rounded(normal(a.shape) / math.prod(a.shape[1:]) ** 0.5)
    dy = tuple(normal(shape) for shape in out) if isinstance(out, list) else normal(out)
    for name in [*inputs, *by_name("dy", dy)]:
        s.lay_out(name)
    return Example(inputs, options, dy, state, training, s.layouts)


def _rounded(a: np.ndarray) -> np.ndarray:
    """Exact in float32, so that both dtypes see the same numbers."""
    return a.astype(np.float32).astype(np.float64)


def by_channels(name: str, batch: int = 2) -> Draw:
    """A module that is built with its channels alone and keeps the shape of its input."""

    def draw(s: Source) -> Example:
        shape = s.features((batch, 1, 1, 1))
        return module_example(s, name, {"channels": shape[1]}, shape, shape)

    return draw


def by_reduction(name: str) -> Draw:
    """A module with a bottleneck: channels and a reduction."""

    def draw(s: Source) -> Example:
        shape = s.features((2, 3, 1, 1))
        options = {"channels": shape[1], "reduction": s.pick(1, 2, 3)}
        return module_example(s, name, options, shape, shape)

    return draw


def image(s: Source) -> Shape:
    """Images of sizes that 32 does not divide, and one that is a single pixel high."""
    if s.large:
        return 2, 3, 131, 190
    return s.pick(2, 3), 3, s.pick(9, 1, 34, 70), s.pick(13, 33, 47)


def refinement(s: Source) -> str:
    """A name that a network knows: the three of its own kind for sure, the others by chance.

    Not SimAM, which the smallest images leave one position: it has no variance.
    """
    others = s.pick(*(name for name in names_behind_a_convolution() if name != "simam"))
    name: str = s.pick("none", "arm", "sar", others)
    return name


def path(name: str, outputs: dict[int, int], repeats: int = 1, **more: Any) -> Draw:
    """One of BiSeNet's paths, with a few channels; outputs: {scale: channels over width}.

    repeats  how often there is a map like the first
    """

    def draw(s: Source) -> Example:
        n, _, h, w = shape = image(s)
        width = s.pick(2, 3)
        out = [(n, k * width, -(-h // scale), -(-w // scale)) for scale, k in outputs.items()]
        out = [out[0]] * (repeats - 1) + out
        options = {"width": width, **more}
        return module_example(s, name, options, shape, out if len(out) > 1 else out[0])

    return draw


def network(name: str, outputs: int, **more: Any) -> Draw:
    """A whole network with a few channels; in training mode it has auxiliary outputs."""

    def draw(s: Source) -> Example:
        n, _, h, w = shape = image(s)
        options = {"classes": 4, "width": 2, **more}
        e = module_example(s, name, options, shape, [(n, 4, h, w)] * outputs)
        return e if e.training else replace(e, dy=e.dy[0])

    return draw
