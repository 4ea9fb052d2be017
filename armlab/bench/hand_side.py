"""The side by hand: a row as `armlab.hand` runs it on NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab import hand
from armlab.bench.drawn_arrays import SEED, DrawnArrays, draw, labels
from armlab.bench.ready_call import ReadyCall, several
from armlab.bench.timed_call import TimedCall
from armlab.hand.upstream import WITH_STATISTICS
from armlab.training.optimisers import Adam
from armlab.watch import outputs_by_name


def ready(row: TimedCall) -> ReadyCall:
    """The row with its arrays drawn and its weights made."""
    if row.loss:
        return _step(row, draw(row))
    return _module(row, draw(row)) if row.is_module else _function(row, draw(row))


def network(row: TimedCall) -> hand.Module:
    """The module of a row, from its seed; the twin starts from the same weights."""
    made: hand.Module = getattr(hand, row.call)(**row.options, rng=SEED)
    return made


def _function(row: TimedCall, drawn: DrawnArrays) -> ReadyCall:
    function, inputs = getattr(hand, row.call), tuple(drawn.inputs.values())
    options = {**row.options, **drawn.constants}
    dys = [drawn.like(y.shape) for y in _outputs(row, function(*inputs, **options)[0])]
    dy: Any = tuple(dys) if len(dys) > 1 else dys[0]
    spared = {"input_grad": False} if row.no_grad else {}  # conv2d's way to leave dx out

    def forward() -> tuple[Any, Callable[[], Any]]:
        value, backward = function(*inputs, **options)
        return value, lambda: backward(dy, **spared)

    def named(value: Any, grads: Any) -> dict[str, np.ndarray]:
        grads = grads if isinstance(grads, tuple) else (grads,)
        found = {f"d{name}": g for name, g in zip(row.inputs, grads, strict=False)}  # b is absent
        found = {k: g for k, g in found.items() if k[1:] not in row.no_grad}
        return outputs_by_name(_outputs(row, value)) | found

    return ReadyCall(forward, named, drawn.bytes(*dys))


def _module(row: TimedCall, drawn: DrawnArrays) -> ReadyCall:
    module, inputs = network(row), tuple(drawn.inputs.values())
    dy = drawn.like(module(*inputs)[0].shape)

    def forward() -> tuple[Any, Callable[[], Any]]:
        y, backward = module(*inputs)
        return y, lambda: backward(dy)

    def named(y: Any, grads: Any) -> dict[str, np.ndarray]:
        *dinputs, dparameters = grads
        found = {f"d{name}": g for name, g in zip(row.inputs, dinputs, strict=True)}
        return {"y": y, **found, **dparameters}

    return ReadyCall(forward, named, drawn.bytes(dy))


def _step(row: TimedCall, drawn: DrawnArrays) -> ReadyCall:
    net, (x,) = network(row), drawn.inputs.values()
    optimiser = Adam() if row.optimise else None
    targets = labels(drawn, row)

    def forward() -> tuple[Any, Callable[[], Any]]:
        logits, net_back = net(x)
        losses = [hand.cross_entropy(a, targets) for a in several(logits)]

        def backward() -> Any:
            da = tuple(loss_back(1.0) for _, loss_back in losses)
            _, grads = net_back(da if isinstance(logits, tuple) else da[0], input_grad=False)
            if optimiser is not None:
                optimiser.step(net, grads)
            return grads

        return sum(loss for loss, _ in losses), backward

    return ReadyCall(forward, lambda loss, grads: {"loss": np.asarray(loss), **grads})


def _outputs(row: TimedCall, value: Any) -> tuple[Any, ...]:
    """y, without the statistics that batch_norm gives as well, or each of several outputs."""
    return several(value)[:1] if row.call in WITH_STATISTICS else several(value)
