"""A module by hand as a layer of PyTorch: its backward pass stands in the place of autograd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from armlab import hand
from armlab.arrays import Array
from armlab.torch.bridge.hand_call import HandCall
from armlab.torch.bridge.sharing import Memory, array_of, expect_alike, memory_of, tensor_of


def by_hand(module: hand.Module) -> ByHand:
    """The module as a layer of PyTorch, with the state_dict keys of its twin.

        layer = by_hand(hand.AttentionRefinementModule(8, 4))
        y = layer(x)               x (N, 8, H, W), y (N, 4, H, W), tensors

    Forward and backward are those by hand, on NumPy for tensors on the CPU and on CuPy for those
    on a GPU. Weights are shared and not copied: what torch.optim writes, the module has too.

    Raises TypeError where this is no module by hand, and RuntimeError where it is on a GPU that
    this PyTorch does not find.
    """
    if not isinstance(module, hand.Module):
        raise TypeError(
            f"by_hand expected a module of armlab.hand, got {type(module).__name__}: "
            "a module of PyTorch goes the other way, by_autograd(module)"
        )
    return ByHand(module)


class ByHand(nn.Module):
    """A module by hand, and one of these for each module in it: made by `by_hand`.

    Inputs and outputs are those of the module, as tensors of the dtype and on the device of its
    weights, of any strides; several outputs are a tuple.

    The tensors and the flags `training` are the layer's, and the module has them from the next
    call on: after load_state_dict, .to(…), eval(), a deepcopy. What is replaced by hand, such as
    running statistics in training or weights by module.assign(…), the tensors have from then on.

    As anywhere in PyTorch, what backward needs must not be written to before it has run: inputs,
    weights, and here the outputs as well, so what follows must not work in place. A second
    backward, with retain_graph=True, runs the forward again, as the first let go of all it kept.
    The gradient itself has none: differentiating twice is refused.
    """

    def __init__(self, module: hand.Module) -> None:
        super().__init__()
        self._by_hand = module
        # Of each array of the module what it was when last shared, and where its tensor lay.
        self._given: dict[str, tuple[Array, Memory | None]] = {}
        self.training = module.training
        for name in module.parameter_names:
            a = getattr(module, name)
            self.register_parameter(name, None if a is None else nn.Parameter(tensor_of(a)))
        for name in module.buffer_names:
            a = getattr(module, name)
            self.register_buffer(name, None if a is None else tensor_of(a))
        for name, child in module.children().items():
            self.add_module(name, ByHand(child))
        self._share_own(module.parameter_names + module.buffer_names)

    @property
    def module(self) -> hand.Module:
        """The module by hand, its arrays and modes those of the layer now."""
        self._share()
        return self._by_hand

    def forward(self, *inputs: Tensor) -> Any:
        if torch.compiler.is_dynamo_compiling():  # which would put PyTorch in NumPy's place
            uncompiled: Any = torch.compiler.disable
            return uncompiled(self._call)(*inputs)
        return self._call(*inputs)

    def _call(self, *inputs: Tensor) -> Any:
        parameters, buffers = self._share()
        expect_alike(f"by_hand({type(self._by_hand).__name__})", inputs, parameters.values())
        call: Any = HandCall.apply
        how = self._by_hand, self._keep_statistics, tuple(parameters), tuple(buffers.values())
        return call(*how, *inputs, *parameters.values())

    # -- what is shared ---------------------------------------------------------------------

    def _parts(self) -> Iterator[tuple[str, ByHand]]:
        for path, part in self.named_modules():
            if isinstance(part, ByHand):
                yield f"{path}." if path else "", part

    def _share(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """All parameters and buffers by key, once layer and module have the same."""
        parameters: dict[str, Tensor] = {}
        buffers: dict[str, Tensor] = {}
        for path, part in self._parts():
            module = part._by_hand
            module.training = part.training
            for found, names in (
                (parameters, module.parameter_names),
                (buffers, module.buffer_names),
            ):
                found |= {path + name: t for name, t in part._share_own(names).items()}
        return parameters, buffers

    def _keep_statistics(self) -> None:
        for _, part in self._parts():
            part._share_own(part._by_hand.buffer_names)

    def _share_own(self, names: Sequence[str]) -> dict[str, Tensor]:
        """The tensors of this part by name; one side takes over what the other has replaced."""
        found = {}
        for name in names:
            a = getattr(self._by_hand, name)
            if a is None:
                continue
            found[name] = t = getattr(self, name)
            given, where = self._given.get(name, (a, None))
            if a is not given:
                t.data = tensor_of(a)  # replaced by hand; graphs of earlier calls keep the old
            if a is not given or where != memory_of(t):
                a = array_of(t)
                setattr(self._by_hand, name, a)
                self._given[name] = a, memory_of(t)
        return found

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy, or out of a file: nothing is shared until the next call."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._given = {name: (a, None) for name, (a, _) in self._given.items()}

    # -- words ------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        words = self._by_hand.extra_repr()
        return type(self._by_hand).__name__ + (f", {words}" if words else "")
