"""Counts what the code by hand launches on a device, next to the operators of its PyTorch twin.

    of_module(module, given, shapes)     forward and, if asked for, backward
    of_step(net, given, shape, "adam")   forward, loss, backward, optimiser, and reading the loss

The device is the emulated one, which counts: kernels, matrix products, copies, fills and waits, by
name. Everything runs twice and the second run counts, as the first compiles the kernels and makes
the optimiser's state. Modules are in training mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeVar

from armlab import emulator, hand
from armlab.bench import hand_parts
from armlab.bench.hand_parts import Parts
from armlab.bench.launches import Counts, Launches, Shape, added
from armlab.places import place

Found = TypeVar("Found")


def counted(
    parts: Parts, counting: Callable[[], AbstractContextManager[Found]]
) -> dict[str, Found]:
    """What is found in each part of a second run, the first being there to prepare it."""
    for _ in parts():
        pass
    found: dict[str, Found] = {}
    run = parts()
    while True:
        with counting() as here:
            part = next(run, None)
        if part is None:
            return found
        found[part] = here


def of_module(
    module: hand.Module, given: Mapping[str, Any], shapes: Sequence[Shape], backward: bool = True
) -> Launches:
    """`given` is what its class was called with. The module is moved to the emulated device."""
    from armlab.bench import twin_parts

    here = place("emulated")
    inputs = hand_parts.drawn_inputs(module, shapes, given.get("dtype", "float32"))
    ours = hand_parts.of_module(module.to(here), inputs, here, backward)
    found = counted(ours, emulator.counting)
    twin = twin_parts.of_module(module, given, inputs, backward)
    return Launches(
        type(module).__name__,
        given,
        shapes,
        str(inputs[0].dtype),
        parts=found,
        operators=_operators(twin),
    )


def of_step(net: Any, given: Mapping[str, Any], shape: Shape, optimiser: str = "adam") -> Launches:
    """A step of training. Raises ValueError for a module that is no network of the training."""
    from armlab.bench import twin_parts

    here = place("emulated")
    batch = hand_parts.drawn_batch(net, shape)
    learner = hand_parts.learner(net.to(here), optimiser)
    found = counted(hand_parts.of_step(learner, *batch), emulator.counting)
    with emulator.counting() as whole:
        learner.step(*batch, hand_parts.RATE)
    twin = twin_parts.of_step(net, optimiser, *batch)
    made = Launches(
        type(net).__name__,
        given,
        [shape],
        learner.dtype,
        parts=found,
        operators=_operators(twin),
        optimiser=optimiser,
    )
    return replace(made, read=_without(whole, made.by_name))


def _operators(twin: Parts) -> dict[str, dict[str, int]]:
    from armlab.bench.operators import Operators

    return {
        part: dict(found.calls.most_common()) for part, found in counted(twin, Operators).items()
    }


def _without(whole: Counts, parts: Counts) -> Counts:
    """What of the whole is in no part."""
    rest = {name: added(c, parts[name], -1) if name in parts else c for name, c in whole.items()}
    return {name: c for name, c in rest.items() if c.calls}
