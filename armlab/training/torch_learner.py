"""The PyTorch twin behind the same interface: autograd and torch.optim, from the same weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from armlab.arrays import to_host
from armlab.torch import cross_entropy
from armlab.training.class_weights import expect_class_weights
from armlab.training.finite import expect_finite, kept_values, total
from armlab.training.learner import State, counted_weight, join_state, split_state
from armlab.training.networks import Network, design_of
from armlab.training.optimisers import SGD, Adam
from armlab.training.torch_twin import (
    expect_device,
    load_optimiser_state,
    optimiser_state,
    twin_of,
    twin_optimiser,
)


class TorchLearner:
    """See `Learner` and `HandLearner`. Starts from the weights of a network drawn by hand.

    Raises RuntimeError where PyTorch finds no such device.
    """

    def __init__(
        self,
        net: Network,
        optimiser: SGD | Adam,
        device: str = "cpu",
        class_weights: np.ndarray | None = None,
        ignore_index: int = 255,
    ) -> None:
        self.device, self.design = expect_device(device), design_of(net)
        self.net: Any = twin_of(net, self.device)
        self.optimiser = twin_optimiser(optimiser, self.net)
        parameters = list(self.net.parameters())
        self.dtype = parameters[0].dtype
        self.parameter_count = sum(p.numel() for p in parameters)
        expect_class_weights(class_weights, net.classes)
        self.counted_weight: Callable[[np.ndarray], float] = partial(
            counted_weight,
            classes=net.classes,
            ignore_index=ignore_index,
            class_weights=class_weights,
        )
        weight = None if class_weights is None else self._tensor(class_weights)
        loss = joint_loss if self.design.auxiliary else cross_entropy
        self.loss: Any = partial(loss, weight=weight, ignore_index=ignore_index)

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float | None:
        if not self.counts(labels):
            return None
        before = {key: a.clone() for key, a in self.net.state_dict().items()}
        loss = self.update(images, labels, learning_rate)
        value, kept = torch.stack([loss, total(self._kept().values(), loss)]).tolist()
        if not math.isfinite(value + kept):
            self.expect_finite(self._again(before, images, labels))
        return float(value)

    def counts(self, labels: np.ndarray) -> bool:
        """Whether a pixel has a share in the loss: not ignored, and of a weight above 0."""
        return self.counted_weight(labels) > 0

    def expect_finite(self, named: Iterator[tuple[str, Tensor]]) -> None:
        expect_finite(named)

    def forward(self, images: np.ndarray) -> Any:
        """The output of the network in training, or its outputs."""
        return self.net(self._tensor(images))

    def loss_of(self, y: Any, labels: np.ndarray) -> Tensor:
        loss: Tensor = self.loss(y, torch.tensor(labels).to(self.device))
        return loss

    def whole(self, loss: Tensor) -> Tensor:
        """The loss of the whole batch: here, of all there is. See `TorchRankLearner`."""
        return loss

    def update(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> Tensor:
        """Forward, loss, backward, optimiser. The loss stays on the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        loss = self.loss_of(self.forward(images), labels)
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        return self.whole(loss.detach())

    def _kept(self) -> dict[str, Tensor]:
        return kept_values(self.net.state_dict(), optimiser_state(self.optimiser, self.net))

    def _again(
        self, before: dict[str, Tensor], images: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[str, Tensor]]:
        """Every value of the last step by its name, in the order in which they are computed."""
        yield "an image", torch.tensor(images)
        net = copy.deepcopy(self.net)
        net.load_state_dict(before)
        with _watched(net) as outputs:
            y = net(self._tensor(images))
        yield from outputs
        loss = self.loss_of(y, labels)
        yield "the loss", loss
        net.zero_grad()
        torch.autograd.backward(loss)
        parameters = reversed(list(net.named_parameters()))
        yield from ((f"the gradient of {k}", p.grad) for k, p in parameters if p.grad is not None)
        yield from self._kept().items()

    @torch.no_grad()
    def logits(self, images: np.ndarray) -> np.ndarray:
        self.net.eval()
        a: np.ndarray = to_host(self.net(self._tensor(images)))
        self.net.train()
        return a

    def predict(self, images: np.ndarray) -> np.ndarray:
        classes: np.ndarray = self.logits(images).argmax(axis=1)
        return classes

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        self.net.eval()
        shown = self.design.shown_gate(self.net, self._tensor(images))
        self.net.train()
        return shown

    def state_dict(self) -> State:
        return join_state(self.net.state_dict(), optimiser_state(self.optimiser, self.net))

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        net, optimiser = split_state(state)
        self.net.load_state_dict({key: torch.tensor(a) for key, a in net.items()})
        load_optimiser_state(self.optimiser, self.net, optimiser)

    def _tensor(self, images: np.ndarray) -> Tensor:
        return torch.tensor(images, dtype=self.dtype, device=self.device)


def joint_loss(outputs: tuple[Tensor, ...], labels: Tensor, **options: Any) -> Tensor:
    """See `armlab.training.losses`."""
    return torch.stack([cross_entropy(y, labels, **options) for y in outputs]).sum()


@contextmanager
def _watched(net: nn.Module) -> Iterator[list[tuple[str, Tensor]]]:
    """Within this block, the list grows by every output of a layer; inner modules come first."""
    outputs: list[tuple[str, Tensor]] = []

    def hook(name: str) -> Callable[..., None]:
        def note(module: nn.Module, inputs: Any, y: Any) -> None:
            ys = y if isinstance(y, tuple) else (y,)
            outputs.extend((f"the output of {name}", a) for a in ys)

        return note

    handles = [
        module.register_forward_hook(hook(name or type(net).__name__))
        for name, module in net.named_modules()
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
