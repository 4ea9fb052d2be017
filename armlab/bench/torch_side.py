"""The sides of PyTorch: a row as its twin runs it, eager, channels-last or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import armlab.torch as twins
from armlab.bench.drawn_arrays import DrawnArrays, draw, labels
from armlab.bench.hand_side import network
from armlab.bench.ready_call import ReadyCall, several
from armlab.bench.timed_call import TimedCall
from armlab.watch import outputs_by_name

# Twins that do more than PyTorch's own call, so that is what is timed.
PLAIN: dict[str, Callable[..., Any]] = {
    "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    "batch_norm_activated": lambda x, w, b, activation: getattr(F, activation)(
        F.batch_norm(x, None, None, w, b, training=True)
    ),
    "resize_nearest": lambda x, size: F.interpolate(x, size, mode="nearest"),
}


def ready(row: TimedCall, side: str) -> ReadyCall:
    """The row for side "torch", "channels_last" or "compiled"."""
    last = side == "channels_last"
    compiled: Callable[[Any], Any] = torch.compile if side == "compiled" else lambda f: f
    make = _step if row.loss else _module if row.is_module else _function
    return make(row, draw(row), last, compiled)


def _function(
    row: TimedCall, drawn: DrawnArrays, last: bool, compiled: Callable[[Any], Any]
) -> ReadyCall:
    function = compiled(PLAIN.get(row.call) or getattr(twins, row.call))
    constants = {name: _tensor(a, last) for name, a in drawn.constants.items()}
    return _gradients_of(
        row, drawn, last, lambda *inputs: function(*inputs, **row.options, **constants), {}
    )


def _module(
    row: TimedCall, drawn: DrawnArrays, last: bool, compiled: Callable[[Any], Any]
) -> ReadyCall:
    module = _twin(row, last)
    return _gradients_of(row, drawn, last, compiled(module), dict(module.named_parameters()))


def _gradients_of(
    row: TimedCall,
    drawn: DrawnArrays,
    last: bool,
    call: Callable[..., Any],
    parameters: dict[str, Any],
) -> ReadyCall:
    """Forward and autograd, for the inputs whose gradients are wanted and all parameters."""
    inputs = {name: _tensor(a, last) for name, a in drawn.inputs.items()}
    leaves = {f"d{k}": t.requires_grad_() for k, t in inputs.items() if k not in row.no_grad}
    leaves |= parameters
    dy_host = [drawn.like(tuple(y.shape)) for y in several(call(*inputs.values()))]
    dy = [_tensor(a, last) for a in dy_host]

    def forward() -> tuple[Any, Callable[[], Any]]:
        y = call(*inputs.values())
        return y, lambda: torch.autograd.grad(several(y), tuple(leaves.values()), dy)

    def named(y: Any, grads: Any) -> dict[str, np.ndarray]:
        found = outputs_by_name(several(y)) | dict(zip(leaves, grads, strict=True))
        return {name: t.detach().numpy() for name, t in found.items()}

    return ReadyCall(forward, named, drawn.bytes(*dy_host))


def _step(
    row: TimedCall, drawn: DrawnArrays, last: bool, compiled: Callable[[Any], Any]
) -> ReadyCall:
    net = _twin(row, last)
    x, targets = _tensor(drawn.inputs["x"], last), torch.from_numpy(labels(drawn, row))
    optimiser = torch.optim.Adam(net.parameters()) if row.optimise else None

    def total(x: Tensor) -> Any:
        logits = net(x)
        return sum(twins.cross_entropy(a, targets) for a in several(logits))

    compute = compiled(total)

    def forward() -> tuple[Any, Callable[[], Any]]:
        loss = compute(x)

        def backward() -> Any:
            net.zero_grad()
            loss.backward()
            if optimiser is not None:
                optimiser.step()
            return {key: p.grad for key, p in net.named_parameters()}

        return loss, backward

    def named(loss: Tensor, grads: Any) -> dict[str, np.ndarray]:
        return {k: t.detach().numpy() for k, t in {"loss": loss, **grads}.items()}

    return ReadyCall(forward, named)


def _twin(row: TimedCall, last: bool) -> nn.Module:
    """From the weights that the module by hand draws."""
    twin: Any = getattr(twins, row.call)(**row.options)
    state = network(row).state_dict()
    twin.load_state_dict({key: torch.tensor(np.asarray(a)) for key, a in state.items()})
    if last:
        twin = twin.to(memory_format=torch.channels_last)
    made: nn.Module = twin
    return made


def _tensor(a: np.ndarray, last: bool) -> Tensor:
    t = torch.tensor(a)
    return t.contiguous(memory_format=torch.channels_last) if last and t.ndim == 4 else t
