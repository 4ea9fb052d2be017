"""What the training loop talks to: a network and its optimiser, by hand or in PyTorch.

Host arrays go in and come out, so the loop is the same on every backend.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from armlab.arrays import Array, array_namespace, dtype_name, place_of, to_host
from armlab.hand import BiSeNet, Module, ToyNet
from armlab.hand.channels import position_sum
from armlab.training.finite import expect_finite, listening
from armlab.training.losses import network_loss
from armlab.training.optimisers import SGD, Adam

State = dict[str, np.ndarray]
Network = ToyNet | BiSeNet  # BiSeNet is ToyBiSeNet as well


class Learner(Protocol):
    """images (N, 3, H, W) float, labels (N, H, W) int64, logits (N, K, H, W): on the host."""

    parameter_count: int

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        """One update of the weights; the loss before it.

        Raises NotFinite that names the first value of the step that is NaN or infinite, be it in
        the images, an output, a gradient or an updated weight; then the weights are spoiled.
        """

    def logits(self, images: np.ndarray) -> np.ndarray:
        """In evaluation mode, so that looking changes nothing."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The class of each pixel, (N, H, W) int64."""

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        """What the attention multiplies its features by; None without attention.

        (N, C) of a gate per channel, as ARM's; (N, 1, H', W') of one per position; (N, C, H', W')
        of one per element. Of a BiSeNet, that of the refinement at 1/16.
        """

    def state_dict(self) -> State:
        """Copies of weights and buffers ("net.…") and of the optimiser's state ("optimiser.…")."""

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly where the state was taken."""


class HandLearner:
    """The modules by hand, on NumPy, CuPy or any array library that the network lives in.

    class_weights  (K,) on the host, or None: how much a pixel of each class counts in the loss
    """

    def __init__(
        self,
        net: Network,
        optimiser: SGD | Adam,
        class_weights: np.ndarray | None = None,
        ignore_index: int = 255,
    ) -> None:
        self.net, self.optimiser = net, optimiser
        parameters = net.parameters()
        first = next(iter(parameters.values()))
        self.place, self.dtype = place_of(first), dtype_name(first)
        self.parameter_count = sum(a.size for a in parameters.values())
        weight = None if class_weights is None else self.place.asarray(class_weights, self.dtype)
        self._loss: dict[str, Any] = {"weight": weight, "ignore_index": ignore_index}
        self._before = net
        self._sum: Array = 0.0

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        with self._device():
            loss = self.update(images, labels, learning_rate)
            read = self.place.xp.stack([loss, self._sum])
            value, total = to_host(read).tolist()  # the only line that waits for the device
            if not math.isfinite(value + total):
                expect_finite(self._step_again(images, labels))
        return value

    def update(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> Array:
        """Forward, loss, backward, optimiser. The loss stays on the device."""
        self._before = self.net.copy()  # shares the arrays, which are replaced and never changed
        sums: list[Array] = []
        x = self.place.asarray(images, self.dtype)
        with listening(self.net, lambda name, module, y: _add_output(sums, module, y)):
            y, net_back = self.net(x)
        loss, loss_back = network_loss(y, labels, **self._loss)
        _, grads = net_back(loss_back(1.0), input_grad=False)  # nobody differentiates the images
        self.optimiser.step(self.net, grads, learning_rate)
        self._sum = sum(sums, _total([*grads.values(), *self._kept().values()], loss.dtype))
        return loss

    def _kept(self) -> dict[str, Array]:
        """What the next step goes on from, by its name in an error."""
        found = {f"the updated {key}": a for key, a in self.net.parameters().items()}
        found |= {f"the updated {key}": a for key, a in self.net.buffers().items()}
        state = self.optimiser.state_dict().items()
        return found | {f"the optimiser's {key}": a for key, a in state if not isinstance(a, int)}

    def _step_again(self, images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[str, Array]]:
        """Every value of the last step by its name, in the order in which they are computed."""
        yield "an image", images
        net, outputs = self._before.copy(), list[tuple[str, Array]]()

        def note(name: str, module: Module, y: Any) -> None:
            ys = y if isinstance(y, tuple) else (y,)
            outputs.extend((f"the output of {name}", a) for a in ys)

        with listening(net, note):
            y, net_back = net(self.place.asarray(images, self.dtype))
        yield from outputs
        loss, loss_back = network_loss(y, labels, **self._loss)
        yield "the loss", loss
        _, grads = net_back(loss_back(1.0), input_grad=False)
        yield from ((f"the gradient of {key}", grads[key]) for key in reversed(grads))
        yield from self._kept().items()

    def logits(self, images: np.ndarray) -> np.ndarray:
        with self._device():
            a, _ = self.net.copy().eval()(self.place.asarray(images, self.dtype))
            return to_host(a)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self.logits(images).argmax(axis=1)

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        with self._device():
            return shown_gate(self.net.copy().eval(), self.place.asarray(images, self.dtype))

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

    def _device(self) -> contextlib.AbstractContextManager[Any]:
        """CuPy computes on its current device, so that is made the network's."""
        device = self.place.device
        return device if hasattr(device, "__enter__") else contextlib.nullcontext()


def _add_output(sums: list[Array], module: Module, y: Any) -> None:
    """The sum of a layer's output; what composites do with it keeps a finite value finite."""
    if not module.children():
        sums.append(array_namespace(y).sum(position_sum(y)))


def _total(arrays: list[Array], dtype: Any) -> Array:
    """The sum over all these arrays but counters."""
    xp = array_namespace(arrays[0])
    return xp.sum(xp.concat([xp.reshape(a, (-1,)) for a in arrays if a.dtype == dtype]))


def shown_gate(net: Any, x: Array) -> np.ndarray | None:
    """See `Learner.gate`; of a network by hand or of its twin."""
    s = net.gates(x).get("arm16") if hasattr(net, "gates") else net.gate(x)
    if s is None:
        return None
    host = to_host(s)
    return host[:, :, 0, 0] if host.shape[2:] == (1, 1) else host


def split_state(state: Mapping[str, np.ndarray]) -> tuple[State, State]:
    """The network's part and the optimiser's part, without their prefixes."""
    parts: dict[str, State] = {"net": {}, "optimiser": {}}
    for key, a in state.items():
        part, _, name = key.partition(".")
        parts[part][name] = a
    return parts["net"], parts["optimiser"]
