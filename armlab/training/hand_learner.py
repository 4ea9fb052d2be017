"""A step of training by hand: forward, loss, backward, optimiser, on any array library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from armlab.arrays import Array, to_host
from armlab.hand import cross_entropy
from armlab.hand.backward import Grads
from armlab.training.class_weights import expect_class_weights
from armlab.training.finite import expect_finite, kept_values, with_finite
from armlab.training.learner import State, counted_weight, join_state, split_state
from armlab.training.looking import gate_of, home_of, logits_of, on_device
from armlab.training.losses import joint_loss
from armlab.training.networks import Network, design_of
from armlab.training.optimisers import SGD, Adam
from armlab.watch import watched


class HandLearner:
    """See `Learner`. On NumPy, CuPy or any array library that the network lives in.

    class_weights  (K,) on the host, or None: how much a pixel of each class counts in the loss
    """

    def __init__(
        self,
        net: Network,
        optimiser: SGD | Adam,
        class_weights: np.ndarray | None = None,
        ignore_index: int = 255,
    ) -> None:
        self.net, self.optimiser, self.design = net, optimiser, design_of(net)
        parameters = net.parameters()
        self.place, self.dtype = home_of(net)
        self.parameter_count = sum(a.size for a in parameters.values())
        expect_class_weights(class_weights, net.classes)
        self.counted_weight: Callable[[np.ndarray], float] = partial(
            counted_weight,
            classes=net.classes,
            ignore_index=ignore_index,
            class_weights=class_weights,
        )
        weight = None if class_weights is None else self.place.asarray(class_weights, self.dtype)
        loss = joint_loss if self.design.auxiliary else cross_entropy
        self.loss: Any = partial(loss, weight=weight, ignore_index=ignore_index)

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float | None:
        if not self.counts(labels):
            return None
        before = self.net.copy()  # shares the arrays, which are replaced and never changed
        with on_device(self.place):
            loss = self.update(images, labels, learning_rate)
            kept = self.net.parameters() | self.net.buffers()
            read = with_finite(loss, [*kept.values(), *self.optimiser.arrays()])
            found = to_host(read)  # the only line that waits for the device
            if not np.isfinite(found).all():
                self.expect_finite(self._again(before, images, labels))
        return float(found[0])

    def update(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> Array:
        """Forward, loss, backward, optimiser. The loss stays on the device."""
        y, net_back = self.net(self.place.asarray(images, self.dtype))
        loss, dy = self.loss_and_gradient(y, labels)
        _, grads = net_back(dy, input_grad=False)  # nobody differentiates the images
        loss, grads = self.exchanged(loss, grads)
        self.optimiser.step(self.net, grads, learning_rate)
        return loss

    def loss_and_gradient(self, y: Any, labels: np.ndarray) -> tuple[Array, Any]:
        """The loss of the network's output, or outputs, and its gradient."""
        loss, loss_back = self.loss(y, labels)
        return loss, loss_back(1.0)

    def exchanged(self, loss: Array, grads: Grads) -> tuple[Array, Grads]:
        """What the weights move by: here, what was computed here. See `RankLearner`."""
        return loss, grads

    def counts(self, labels: np.ndarray) -> bool:
        """Whether a pixel has a share in the loss: not ignored, and of a weight above 0."""
        return self.counted_weight(labels) > 0

    def expect_finite(self, named: Iterator[tuple[str, Array]]) -> None:
        expect_finite(named)

    def _kept(self) -> dict[str, Array]:
        arrays = self.net.parameters() | self.net.buffers()
        return kept_values(arrays, self.optimiser.state_dict())

    def _again(
        self, net: Network, images: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[str, Array]]:
        """Every value of the last step by its name, in the order in which they are computed."""
        yield "an image", images
        with watched(net) as calls:
            y, net_back = net(self.place.asarray(images, self.dtype))
        for call in calls:
            layer = call.module or type(net).__name__
            yield from ((f"the output of {layer}", a) for a in call.values.values())
        loss, dy = self.loss_and_gradient(y, labels)
        yield "the loss", loss
        _, grads = net_back(dy, input_grad=False)
        yield from ((f"the gradient of {key}", grads[key]) for key in reversed(grads))
        yield from self._kept().items()

    def logits(self, images: np.ndarray) -> np.ndarray:
        return logits_of(self.net, images)

    def predict(self, images: np.ndarray) -> np.ndarray:
        classes: np.ndarray = self.logits(images).argmax(axis=1)
        return classes

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        return gate_of(self.net, self.design.shown_gate, images)

    def state_dict(self) -> State:
        return join_state(self.net.state_dict(), self.optimiser.state_dict())

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        net, optimiser = split_state(state)
        self.net.load_state_dict(net)
        self.optimiser.load_state_dict({key: self.place.asarray(a) for key, a in optimiser.items()})
