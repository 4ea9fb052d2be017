"""One call of a module by hand, as PyTorch's autograd records it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from armlab import hand
from armlab.torch.bridge.sharing import array_of, running_at, tensors_apart

OPTIONS = 4  # arguments of `HandCall` before the tensors, without a gradient


class HandCall(torch.autograd.Function):
    """One call: forward runs the module by hand, backward the backward that it returned.

    module   by hand, its arrays those of the tensors
    keep     called once it has run, so that the layer keeps its statistics
    keys     of its parameters
    buffers  their tensors
    tensors  the inputs, then the parameters
    """

    @staticmethod
    def forward(
        ctx: Any,
        module: hand.Module,
        keep: Callable[[], None],
        keys: tuple[str, ...],
        buffers: tuple[Tensor, ...],
        *tensors: Tensor,
    ) -> Any:
        inputs = tensors[: len(tensors) - len(keys)]
        ctx.keys, ctx.before = keys, module.copy()
        with running_at(inputs[0]):
            xs = [array_of(x) for x in inputs]
            try:
                y, ctx.hand_backward = module(*xs)
            finally:
                keep()
            ctx.several = isinstance(y, tuple)
            ys = tensors_apart(y if ctx.several else (y,), xs)
        noticed = (*tensors, *buffers, *ys)  # PyTorch notices what is written to before backward
        ctx.save_for_backward(*noticed)
        ctx.set_materialize_grads(False)
        return tuple(ys) if ctx.several else ys[0]

    @staticmethod
    def backward(ctx: Any, *dys: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                f"by_hand({type(ctx.before).__name__}) expected to be differentiated once, got "
                "create_graph=True: its gradient has none; take the twin for second derivatives"
            )
        wanted = ctx.needs_input_grad[OPTIONS:]
        n = len(wanted) - len(ctx.keys)
        inputs = ctx.saved_tensors[:n]
        with running_at(inputs[0]):
            given = [None if dy is None else array_of(dy) for dy in dys]
            known = [dy for dy in given if dy is not None]
            if not known:
                return (None,) * len(ctx.needs_input_grad)
            hand_backward = ctx.hand_backward or ctx.before.copy()(*map(array_of, inputs))[1]
            ctx.hand_backward = None  # what forward kept is free when this is
            spared = {} if any(wanted[:n]) else _without_input_grad(hand_backward)
            *dxs, grads = hand_backward(tuple(given) if ctx.several else given[0], **spared)
            results = [*dxs, *(grads[key] for key in ctx.keys)]
            return (*[None] * OPTIONS, *tensors_apart(results, known))


def _without_input_grad(hand_backward: Callable[..., Any]) -> dict[str, bool]:
    """The option that spares dx, of a backward that has it."""
    has = "input_grad" in inspect.signature(hand_backward).parameters
    return {"input_grad": False} if has else {}
