"""What the training loop talks to: a network and its optimiser, by hand or in PyTorch.

Host arrays go in and come out, so the loop is the same on every backend.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from armlab.arrays import Array, dtype_name, place_of, to_host
from armlab.hand import Module, ToyNet, cross_entropy
from armlab.hand.backward import Backward
from armlab.training.optimisers import SGD, Adam

State = dict[str, np.ndarray]


class Learner(Protocol):
    """images (N, 3, H, W) float, labels (N, H, W) int64, logits (N, K, H, W): on the host."""

    parameter_count: int

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        """One update of the weights; the loss before it."""

    def logits(self, images: np.ndarray) -> np.ndarray:
        """In evaluation mode, so that looking changes nothing."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The class of each pixel, (N, H, W) int64."""

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        """What ARM multiplies its channels by, (N, C); None without attention."""

    def state_dict(self) -> State:
        """Copies of weights and buffers ("net.…") and of the optimiser's state ("optimiser.…")."""

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly where the state was taken."""

    def first_not_finite(self, images: np.ndarray) -> str:
        """The dotted name of the first module whose output had a NaN or an infinity in the last
        step, which was on these images; "" where every output was finite."""


class HandLearner:
    """The modules by hand, on NumPy, CuPy or any array library that the network lives in."""

    def __init__(self, net: ToyNet, optimiser: SGD | Adam) -> None:
        self.net, self.optimiser = net, optimiser
        parameters = net.parameters()
        first = next(iter(parameters.values()))
        self.place, self.dtype = place_of(first), dtype_name(first)
        self.parameter_count = sum(a.size for a in parameters.values())
        self._before = net

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        with self._device():
            loss = self.update(images, labels, learning_rate)
            return float(to_host(loss))  # the only line of a step that waits for the device

    def update(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> Array:
        """Forward, loss, backward, optimiser. The loss stays on the device."""
        self._before = self.net.copy()  # shares the arrays, which are replaced and never changed
        x = self.place.asarray(images, self.dtype)
        a, net_back = self.net(x)
        loss, loss_back = cross_entropy(a, labels)
        _, grads = net_back(loss_back(1.0), input_grad=False)  # nobody differentiates the images
        self.optimiser.step(self.net, grads, learning_rate)
        return loss

    def logits(self, images: np.ndarray) -> np.ndarray:
        with self._device():
            a, _ = self.net.copy().eval()(self.place.asarray(images, self.dtype))
            return to_host(a)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self.logits(images).argmax(axis=1)

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        with self._device():
            s = self.net.copy().eval().gate(self.place.asarray(images, self.dtype))
            return None if s is None else to_host(s)[:, :, 0, 0]

    def state_dict(self) -> State:
        net = {f"net.{key}": a for key, a in self.net.state_dict().items()}
        optimiser = {f"optimiser.{key}": a for key, a in self.optimiser.state_dict().items()}
        return {
            key: np.array(a if isinstance(a, int) else to_host(a))
            for key, a in (net | optimiser).items()
        }

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        net, optimiser = split_state(state)
        self.net.load_state_dict(net)
        self.optimiser.load_state_dict({key: self.place.asarray(a) for key, a in optimiser.items()})

    def first_not_finite(self, images: np.ndarray) -> str:
        net, found = self._before.copy(), list[str]()
        for name, module in net.named_modules():
            _watch(module, name or type(net).__name__, found)
        with self._device():
            net(self.place.asarray(images, self.dtype))
        return found[0] if found else ""

    def _device(self) -> contextlib.AbstractContextManager[Any]:
        """CuPy computes on its current device, so that is made the network's."""
        device = self.place.device
        return device if hasattr(device, "__enter__") else contextlib.nullcontext()


def _watch(module: Module, name: str, found: list[str]) -> None:
    """Let a module note its name when its output is not finite. Inner modules finish first."""
    forward = module.forward

    def watched(x: Array) -> tuple[Array, Backward]:
        y, backward = forward(x)
        if not np.isfinite(to_host(y)).all():
            found.append(name)
        return y, backward

    module.forward = watched


def split_state(state: Mapping[str, np.ndarray]) -> tuple[State, State]:
    """The network's part and the optimiser's part, without their prefixes."""
    parts: dict[str, State] = {"net": {}, "optimiser": {}}
    for key, a in state.items():
        part, _, name = key.partition(".")
        parts[part][name] = a
    return parts["net"], parts["optimiser"]
