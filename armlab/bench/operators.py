"""Counts the operators of PyTorch that would launch something on a card.

    with Operators() as found:
        y = twin(x)
    found.total, found.calls      # 7, Counter({"aten.convolution.default": 1, …})

It runs on the CPU and needs no card: what is counted are calls of the dispatcher, behind autograd.
Counted is each operator that computes, copies or fills, once, whatever it launches inside: a
`zeros_like` is a fill, a batch normalisation is one operator, and one `_foreach_` operator of an
optimiser is one for all its tensors. Left out is what launches nothing:

    views             the result is the memory of an argument: view, expand, detach; also where only
                      shape or strides are changed in place (`t_`)
    allocations       empty, empty_like, empty_strided, new_empty: nobody writes there yet
    reading           `_local_scalar_dense`, behind `item()`: it waits, and gives no tensor; and the
                      marks of the profiler, which have no tensors at all
    counts of steps   `_foreach_` on tensors without axes: an optimiser's counts stay on the host
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ALLOCATIONS = ("empty", "new_empty")  # and what they begin: empty_like, new_empty_strided


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives it no types
    """calls: how often each operator ran in the `with` block, by name."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self.calls.total()

    def __torch_dispatch__(
        self,
        operator: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = operator(*args, **(kwargs or {}))
        if launches(operator, _tensors((args, kwargs)), _tensors(result)):
            self.calls[str(operator)] += 1
        return result


def launches(operator: Any, given: Sequence[Tensor], made: Sequence[Tensor]) -> bool:
    """Whether a card would get work from this call, with these tensors given and made by it."""
    if operator._schema.is_mutable:
        return not (changes_shape_alone(operator) or counts_steps(operator, given))
    return not (is_allocation(operator) or is_view(given, made))


def changes_shape_alone(operator: Any) -> bool:
    return torch.Tag.inplace_view in operator.tags


def counts_steps(operator: Any, given: Sequence[Tensor]) -> bool:
    return _name(operator).startswith("_foreach_") and all(t.ndim == 0 for t in given)


def is_allocation(operator: Any) -> bool:
    return _name(operator).startswith(ALLOCATIONS)


def is_view(given: Sequence[Tensor], made: Sequence[Tensor]) -> bool:
    """Whether nothing is made, or nothing that has elements and memory of its own."""
    old = {_memory(t) for t in given}
    return all(t.numel() == 0 or _memory(t) in old for t in made)


def _memory(t: Tensor) -> int:
    return t.untyped_storage().data_ptr()


def _name(operator: Any) -> str:
    """The bare name: "add_" of aten.add_.Tensor."""
    name: str = operator._schema.name
    return name.rpartition("::")[2]


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
