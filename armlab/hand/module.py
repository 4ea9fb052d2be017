"""Module: parameters, buffers and their names. What every class in this package shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, Unpack

from armlab.arrays import Array, dtype_name, move, to_host, usual_namespace
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features
from armlab.hand.made import Made, settled
from armlab.hand.state import described, expect_arrays, expect_real, misfits
from armlab.hand.upstream import judging
from armlab.places import Device, device_words, place, place_of


class Module:
    """A layer or a network: call it for `(y, backward)`; `backward(dy)` gives `(dx, grads)`.

    Convolutions, and what begins with one, spare dx with `backward(dy, input_grad=False)`, which
    makes it None: nobody differentiates an image.

    One with two inputs gives `(dx1, dx2, grads)`. One with several outputs has a tuple for its y,
    and takes a tuple for its dy, with None for an output that nobody used.

    Attributes that are modules are its children, in the order in which they were set. A module
    with arrays of its own names them in `parameter_names` (trained) and `buffer_names` (kept);
    an attribute that is None, such as an absent bias, does not count. Arrays are replaced and
    never written to, so an earlier backward keeps the weights that it was made with.
    """

    parameter_names: tuple[str, ...] = ()
    buffer_names: tuple[str, ...] = ()
    attention_name: str  # in networks, of a module that can be their attention: see `attentions`
    pooled_norm = False  # whether it normalises a pooled value per image, and so trains on two
    training = True

    forward: Callable[..., tuple[Any, Backward]]

    def __init__(self, **made: Unpack[Made]) -> None:
        """Every module takes rng, dtype and device by keyword, and hands them on to its parts.

        rng     draws the weights: a seed, a `numpy.random.Generator`, or None
        dtype   "float32", which is the default, or "float64"
        device  "cpu", which is the default, "cuda", "cuda:1" or "emulated"

        `armlab.hand.made` says more. What has arrays or parts has an __init__ of its own.
        """
        settled(self, made)

    def __call__(self, *inputs: Array) -> tuple[Any, Backward]:
        y, backward = self.forward(*inputs)
        return y, judging(type(self).__name__, y, backward, unused=True)

    # -- the tree ---------------------------------------------------------------------------

    def children(self) -> dict[str, Module]:
        return {name: m for name, m in vars(self).items() if isinstance(m, Module)}

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module under its prefix, then all below it: ("conv.bn", BatchNorm2d(…)), …"""
        yield prefix, self
        start = f"{prefix}." if prefix else ""
        for name, child in vars(self).items():
            if isinstance(child, Module):
                yield from child.named_modules(start + name)

    def copy(self) -> Self:
        """A module of its own that shares the arrays, which nobody writes to."""
        twin = object.__new__(type(self))
        for name, a in vars(self).items():
            vars(twin)[name] = a.copy() if isinstance(a, Module) else a
        return twin

    # -- the arrays -------------------------------------------------------------------------

    def _homes(
        self, parameters: bool = True, buffers: bool = True
    ) -> Iterator[tuple[str, tuple[Module, str]]]:
        """Of each array that is there the key, and the module and the attribute that have it."""
        for prefix, module in self.named_modules():
            start = f"{prefix}." if prefix else ""
            for name in module.parameter_names * parameters + module.buffer_names * buffers:
                if getattr(module, name) is not None:
                    yield start + name, (module, name)

    def _arrays(self, parameters: bool = True, buffers: bool = True) -> dict[str, Array]:
        return {key: getattr(*home) for key, home in self._homes(parameters, buffers)}

    def parameters(self) -> dict[str, Array]:
        """The trainable arrays, by the keys of the PyTorch twin."""
        return self._arrays(buffers=False)

    def buffers(self) -> dict[str, Array]:
        """The arrays that are kept but not trained: running statistics."""
        return self._arrays(parameters=False)

    def assign(self, values: Mapping[str, Array]) -> Self:
        """Replace arrays by key: all, or none where a key, a shape or a dtype does not fit."""
        expect_arrays(type(self).__name__, values)
        homes = dict(self._homes())
        for key, value in values.items():
            if key not in homes:
                raise KeyError(
                    f"{type(self).__name__} has no array {key!r}: take a key of its state_dict()"
                )
            a = getattr(*homes[key])
            same_dtype = value.dtype is a.dtype or dtype_name(value) == dtype_name(a)
            if tuple(value.shape) != tuple(a.shape) or not same_dtype:
                raise ValueError(
                    f"{type(self).__name__} expected {key} as {described(a)}, "
                    f"got {described(value)}: reshape or convert it first"
                )
        for key, value in values.items():
            setattr(*homes[key], value)
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers, in the order of the PyTorch twin."""
        return {key: place_of(a).xp.asarray(a, copy=True) for key, a in self._arrays().items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> Self:
        """Take over arrays of any library, copied to where this module lives and to its dtype.

        Raises ValueError that lists every missing, unexpected and mis-shaped key, and TypeError
        for what is no array of numbers.
        """
        expect_arrays(type(self).__name__, state)
        expect_real(type(self).__name__, state)
        current = self._arrays()
        if wrong := misfits(state, current):
            raise ValueError(
                f"{type(self).__name__} cannot load this state_dict: {'; '.join(wrong)}. "
                "Build the module with the arguments that the state was saved with."
            )
        return self.assign(
            {
                key: place_of(a).asarray(to_host(state[key]), dtype_name(a))
                for key, a in current.items()
            }
        )

    # -- modes and places -------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Training mode for this module and all below it: batch statistics are used and kept."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Evaluation mode: running statistics are used and left alone."""
        return self.train(False)

    def to(self, device: Device) -> Self:
        """Move all arrays to "cpu" (NumPy), or to "cuda", "cuda:1" or "emulated" (CuPy).

        CuPy computes on its current device: for "cuda:1" call inside `with cupy.cuda.Device(1):`.
        """
        target = place(device)
        return self.assign({key: move(a, target) for key, a in self._arrays().items()})

    # -- words ------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        if not self.children():
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [self.extra_repr()] if self.extra_repr() else []
        lines += [f"({name}): {child!r}" for name, child in self.children().items()]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"

    def expect_features(self, x: Array, channels: int, built_with: str | None = None) -> None:
        """Refuse anything but features (N, channels, H, W), before it fails deep inside.

        built_with  the argument that fixed the channels; None where they are those of an image
        """
        name = type(self).__name__
        expect_features(name, x, channels, built_with)
        _, home = next(self._homes())
        weight = getattr(*home)
        if usual_namespace(weight, x):
            return
        if place_of(weight) != place_of(x) or x.dtype != weight.dtype:
            raise TypeError(
                f"{name} holds {_describe_place(weight)}, got {_describe_place(x)}: "
                "convert x, or move the module with .to(device)"
            )


def _describe_place(a: Array) -> str:
    where = place_of(a)
    library, device = where.xp.__name__.split(".")[-1], device_words(where.device)
    return f"{dtype_name(a)} arrays of {library} on {device}"
