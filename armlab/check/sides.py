"""The two sides: the same example through the code by hand and through the PyTorch twin.

Both return a flat dict of host arrays. Of a function: y (or the loss; y2 of a second output), for
batch_norm also mean and var, and dx, dw, … Of a module: y (and y2, y3 where it has several
outputs), dx and so on for each input, each parameter's gradient by its key, each buffer after the
call by its key.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from armlab import hand
from armlab.arrays import Array, to_host
from armlab.check.example import Example, by_name
from armlab.check.layouts import LAYOUTS
from armlab.places import HOST, Place
from armlab.watch import named_values

Results = dict[str, Any]


@dataclass(frozen=True)
class HandRun:
    """What the code by hand made of an example, where it ran.

    results  by name
    inputs   by name, as it got them
    dy       the upstream gradients by name: "dy", and "dy2", … of further outputs
    state    of a module: its parameters and buffers before the call, by key
    """

    results: Results
    inputs: dict[str, Array | None]
    dy: dict[str, Array]
    state: dict[str, Array] = field(default_factory=dict)

    def on_host(self) -> Results:
        return {key: None if a is None else to_host(a) for key, a in self.results.items()}


def run_hand(name: str, e: Example, dtype: str, place: Place = HOST) -> Results:
    """The results of the example through `armlab.hand`, in this dtype at this place."""
    return run_hand_arrays(name, e, dtype, place).on_host()


def run_hand_arrays(name: str, e: Example, dtype: str, place: Place = HOST) -> HandRun:
    """As `run_hand`, with arrays where they were computed, and the arrays that went in."""
    inputs = {k: _lay_out(v, e.layouts.get(k, "C"), dtype, place) for k, v in e.inputs.items()}
    dy = {
        k: _lay_out(v, e.layouts.get(k, "C"), dtype, place) for k, v in by_name("dy", e.dy).items()
    }
    upstream = tuple(dy.values()) if isinstance(e.dy, tuple) else dy["dy"]
    if e.state is not None:
        return _run_hand_module(name, e, dtype, place, HandRun({}, inputs, dy), upstream)
    options = {k: _constant(v, dtype, place) for k, v in e.options.items()}
    value, backward = getattr(hand, name)(*inputs.values(), **options)
    grads = backward(upstream)
    grads = grads if isinstance(grads, tuple) else (grads,)
    results = named_values(name, value)
    results |= {f"d{k}": g for k, g in zip(inputs, grads, strict=True)}
    return HandRun(results, inputs, dy)


def _run_hand_module(
    name: str, e: Example, dtype: str, place: Place, run: HandRun, upstream: Any
) -> HandRun:
    module = getattr(hand, name)(**e.options, rng=0, dtype=dtype)
    assert e.state is not None
    module.load_state_dict(e.state).to(place).train(e.training)
    state = {**module.parameters(), **module.buffers()}
    y, backward = module(*run.inputs.values())
    *dinputs, grads = backward(upstream)
    results = by_name("y", y) | {f"d{k}": d for k, d in zip(run.inputs, dinputs, strict=True)}
    return HandRun({**results, **grads, **module.buffers()}, run.inputs, run.dy, state)


def _lay_out(a: np.ndarray | None, layout: str, dtype: str, place: Place) -> Array | None:
    if a is None:
        return None
    return LAYOUTS[layout](a.astype(dtype), place) if a.ndim else place.asarray(a, dtype)


def _constant(value: Any, dtype: str, place: Place) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return place.asarray(value, "int64" if value.dtype.kind == "i" else dtype)


def run_torch(name: str, e: Example, dtype: str, device: str = "cpu") -> Results:
    """The example through `armlab.torch`, in this dtype on this device."""
    torch = importlib.import_module("torch")
    twins = importlib.import_module("armlab.torch")

    def tensor(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        kind = torch.int64 if value.dtype.kind == "i" else getattr(torch, dtype)
        return torch.tensor(value, dtype=kind, device=device)

    given = {k: tensor(v) for k, v in e.inputs.items()}
    leaves = {k: v.requires_grad_() for k, v in given.items() if v is not None}
    if e.state is not None:
        return _run_twin(getattr(twins, name)(**e.options), e, tensor, leaves)
    options = {k: tensor(v) for k, v in e.options.items()}
    results = named_values(name, getattr(twins, name)(*given.values(), **options))
    dys = [tensor(dy) for dy in by_name("dy", e.dy).values()]
    ys = list(results.values())[: len(dys)]  # not the statistics of batch_norm
    grads = torch.autograd.grad(ys, list(leaves.values()), dys)
    found = dict(zip(leaves, grads, strict=True))
    results |= {f"d{k}": found.get(k) for k in given}
    return {k: None if t is None else t.detach().cpu().numpy() for k, t in results.items()}


def _run_twin(twin: Any, e: Example, tensor: Any, inputs: dict[str, Any]) -> Results:
    torch = importlib.import_module("torch")
    first = next(iter(inputs.values()))
    twin = twin.to(first.dtype).to(first.device)
    assert e.state is not None
    twin.load_state_dict({k: tensor(v) for k, v in e.state.items()}, strict=True)
    twin.train(e.training)
    y = by_name("y", twin(*inputs.values()))
    dys = [tensor(dy) for dy in by_name("dy", e.dy).values()]
    wanted = {f"d{k}": x for k, x in inputs.items()} | dict(twin.named_parameters())
    grads = torch.autograd.grad(  # zeros where an auxiliary head had no part in the output
        list(y.values()), list(wanted.values()), dys, allow_unused=True, materialize_grads=True
    )
    results = {**y, **dict(zip(wanted, grads, strict=True)), **dict(twin.named_buffers())}
    return {k: t.detach().cpu().numpy() for k, t in results.items()}
