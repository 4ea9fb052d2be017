"""A module of PyTorch as a layer by hand: autograd stands in the place of its backward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from armlab import hand
from armlab.arrays import Array, array_namespace, dtype_of
from armlab.hand.backward import Backward, Grads, fill_unused
from armlab.torch.bridge.sharing import array_of, running_at, tensor_of


def by_autograd(module: nn.Module) -> ByAutograd:
    """The module as a layer of a network by hand, with its own state_dict keys.

        net.refine = by_autograd(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()))
        y, backward = net.refine(x)
        dx, grads = backward(dy)

    x, y, dy and dx are arrays: NumPy's, or CuPy's after .to("cuda"). What requires no gradient
    is kept and not trained, so it is among the buffers.

    Raises TypeError where this is no module of PyTorch or its weights are neither float32 nor
    float64, and ValueError where two names share a weight, or one is a name of `hand.Module`.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"by_autograd expected a module of PyTorch, got {type(module).__name__}: "
            "a module of armlab.hand goes the other way, by_hand(module)"
        )
    _expect_no_ties(module)
    return ByAutograd(module)


class _Arrays(hand.Module):
    """The arrays of a module of PyTorch, and one of these for each module in it that has any."""

    def __init__(self, module: nn.Module) -> None:
        trained: list[str] = []
        kept: list[str] = []
        self.training = module.training
        for name, p in module.named_parameters(recurse=False):
            (trained if p.requires_grad else kept).append(name)
            dtype_of(p.dtype)
            self._add(name, array_of(p))
        saved = module.state_dict(keep_vars=True)  # without buffers that are not persistent
        for name, b in module.named_buffers(recurse=False):
            if name in saved:
                kept.append(name)
                self._add(name, array_of(b))
        self.parameter_names, self.buffer_names = tuple(trained), tuple(kept)
        for name, child in module.named_children():
            if child.state_dict():
                self._add(name, _Arrays(child))

    def _add(self, name: str, value: Any) -> None:
        if hasattr(hand.Module, name):
            raise ValueError(
                f"by_autograd expected names that hand.Module does not have, got {name!r}: "
                "rename it"
            )
        setattr(self, name, value)


class ByAutograd(_Arrays):
    """A module of PyTorch that is called as one by hand: made by `by_autograd`.

    Arrays are replaced and never written to, as in every module by hand, so an earlier backward
    keeps the weights that it was made with. The module of PyTorch runs on them as a function,
    and its own tensors take no part: `module` gives it with the weights of now.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self._module = module
        self._moving = {name for name, _ in module.named_buffers()}

    @property
    def module(self) -> nn.Module:
        """The module of PyTorch, its tensors and modes those of the layer now."""
        self._set_modes()
        arrays = self.parameters() | self.buffers()
        for key, t in self._module.state_dict(keep_vars=True).items():
            if key in arrays:
                t.data = tensor_of(arrays[key])
        return self._module

    def forward(self, *inputs: Array) -> tuple[Any, Backward]:
        array_namespace(*inputs, *self.parameters().values())
        xs = [tensor_of(x).requires_grad_() for x in inputs]
        weights = {k: tensor_of(a).requires_grad_() for k, a in self.parameters().items()}
        kept = {k: self._own(k, tensor_of(a)) for k, a in self.buffers().items()}
        state = weights | kept
        self._set_modes()
        with torch.enable_grad(), running_at(xs[0]):
            y = functional_call(self._module, state, tuple(xs), tie_weights=False)
        moved = {k: array_of(state[k]) for k in kept}  # on CuPy's own stream again
        self.assign(moved)
        several = isinstance(y, tuple)
        ys: tuple[Tensor, ...] = y if several else (y,)
        self._expect_tensors(ys)

        def backward(dy: Any, input_grad: bool = True) -> tuple[Any, ...]:
            dys = fill_unused(dy if several else (dy,), tuple(tuple(t.shape) for t in ys))
            wanted = [*(xs if input_grad else []), *weights.values()]
            grads = _gradients(ys, wanted, [tensor_of(d) for d in dys])
            dxs = grads[: len(xs)] if input_grad else [None] * len(xs)
            named: Grads = dict(zip(weights, grads[len(grads) - len(weights) :], strict=True))
            return (*dxs, named)

        arrays = tuple(array_of(t) for t in ys)
        return (arrays if several else arrays[0]), backward

    def _own(self, key: str, t: Tensor) -> Tensor:
        """A copy of what PyTorch writes to in place, as running statistics are."""
        return t.clone() if key in self._moving else t

    def _set_modes(self) -> None:
        self._module.train(self.training)
        for path, part in self.named_modules():
            if part.training != self.training:
                self._module.get_submodule(path).training = part.training

    def _expect_tensors(self, ys: tuple[Any, ...]) -> None:
        for t in ys:
            if not isinstance(t, Tensor):
                raise TypeError(
                    f"by_autograd({type(self._module).__name__}) expected a tensor or a tuple of "
                    f"tensors as its output, got {type(t).__name__}: wrap the module in one that "
                    "returns these"
                )

    def __repr__(self) -> str:
        return f"ByAutograd({self._module!r})"


def _gradients(ys: tuple[Tensor, ...], wanted: list[Tensor], dys: list[Tensor]) -> list[Array]:
    """Of each wanted tensor, zeros where no y depends on it. The graph stays for another call."""
    if not wanted:
        return []
    with running_at(ys[0]):
        grads = torch.autograd.grad(
            ys, wanted, dys, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    return [array_of(g) for g in grads]  # on CuPy's own stream again, which so waits for PyTorch's


def _expect_no_ties(module: nn.Module) -> None:
    names: dict[int, str] = {}
    for name, p in module.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(p), name)
        if first != name:
            raise ValueError(
                f"by_autograd expected one name for each weight, got {first} and {name} for one: "
                "by hand they would be trained apart; call the same layer twice instead"
            )
