"""One call of a kernel, forward or backward, and the bytes that it must move.

The floor of a call is each input once and each output once; a gradient that is one value repeated,
as that of a mean, is that value. What a kernel keeps for its backward is no output, and an input
of the backward.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from armlab.arrays import Array
from armlab.hand import kernels


@dataclass(frozen=True)
class KernelCall:
    """One part of a call, ready to run.

    function  of the table, of a convolution with its size
    part      "forward" or "backward"
    on        the shape of its first input
    run       makes the call
    read      the inputs that it cannot do without
    """

    function: str
    part: str
    on: tuple[int, ...]
    run: Callable[[], Any]
    read: tuple[Array, ...]

    def floor(self) -> tuple[int, int]:
        """Bytes read and bytes written; runs the call, to see what comes out."""
        made = self.run()
        if self.part == "forward" and isinstance(made, tuple) and callable(made[-1]):
            made = made[0]  # without the backward
        return _bytes(self.read), _bytes(made)


@dataclass(frozen=True)
class Asked:
    """A row of the table as it is called.

    arguments  of the kernel; arrays among them are read
    kept       what the backward reads beside dy; None where there is no backward
    more       arguments of the backward after dy
    """

    function: str
    arguments: tuple[Any, ...]
    kept: tuple[Array, ...] | None = ()
    more: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """Such as "relu", or "conv2d 3×3"."""
        if not self.function.startswith("conv2d"):
            return self.function
        return f"{self.function} {'×'.join(map(str, self.arguments[1].shape[2:]))}"

    def parts(self) -> Iterator[KernelCall]:
        """Forward and, where there is one, backward. RuntimeError where no kernel would run."""
        kernel = kernels.choose(self.function, *self.arguments)
        if kernel is None:
            raise RuntimeError(
                f"expected a kernel for {self.function}, got none: unset ARMLAB_KERNELS"
            )
        arguments, on = self.arguments, tuple(self.arguments[0].shape)
        read = tuple(arrays_in(arguments))
        yield KernelCall(self.name, "forward", on, lambda: kernel(*arguments), read)
        if self.kept is not None:
            y, back = kernel(*arguments)
            dy = self._upstream(y)
            read = (*arrays_in(dy), *self.kept)
            run = lambda: back(dy, *self.more)  # noqa: E731
            yield KernelCall(self.name, "backward", on, run, read)

    def _upstream(self, y: Any) -> Any:
        """An array like y in memory of its own: y itself may be what the backward kept."""
        if self.function in ("cross_entropy", "joint_loss"):
            return 1.0
        in_training = "batch_norm", "batch_norm_activated"
        y = y[0] if self.function in in_training else y  # statistics have no gradient
        return tuple(a.copy() for a in y) if isinstance(y, tuple) else y.copy()


def arrays_in(given: Any) -> Iterator[Array]:
    """The arrays in nested tuples, lists and dicts."""
    if isinstance(given, Mapping):
        given = list(given.values())
    if isinstance(given, tuple | list):
        for each in given:
            yield from arrays_in(each)
    elif hasattr(given, "strides"):
        yield given


def _bytes(given: Any) -> int:
    """Of these arrays, each once; an axis along which a value is repeated has no bytes."""
    arrays = {id(a): a for a in arrays_in(given)}.values()
    return sum(
        a.itemsize * math.prod(k for k, stride in zip(a.shape, a.strides, strict=True) if stride)
        for a in arrays
    )
