"""The PyTorch twin behind the same interface: autograd and torch.optim, from the same weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import armlab.torch as twins
from armlab import hand
from armlab.arrays import to_host
from armlab.torch import cross_entropy
from armlab.training.finite import expect_finite
from armlab.training.learner import Network, State, shown_gate, split_state
from armlab.training.optimisers import SGD, Adam

# torch.optim's names for the state of a parameter, and those of armlab.training.optimisers
STATE_NAMES = {"momentum_buffer": "velocity", "exp_avg": "mean", "exp_avg_sq": "square"}


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
        self.device = _device(device)
        state = {key: torch.tensor(to_host(a)) for key, a in net.state_dict().items()}
        self.dtype = next(iter(state.values())).dtype
        twin = _twin(net).to(self.dtype)
        twin.load_state_dict(state)
        self.net = twin.to(self.device)
        self.optimiser = _twin_optimiser(optimiser, self.net)
        self.parameter_count = sum(p.numel() for p in self.net.parameters())
        weight = None if class_weights is None else self._tensor(class_weights)
        self._loss: dict[str, Any] = {"weight": weight, "ignore_index": ignore_index}
        self._before: dict[str, Tensor] = {}

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        self._before = {key: a.clone() for key, a in self.net.state_dict().items()}
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        sums: list[Tensor] = []
        with _listening(self.net, lambda name, module, y: _add_output(sums, module, y)):
            loss = self._loss_of(self.net, images, labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        grads = [p.grad for p in self.net.parameters() if p.grad is not None]
        sums.append(_total([*grads, *self._kept().values()], loss.dtype))
        value, total = torch.stack([loss.detach(), sum(sums, loss.detach())]).tolist()
        if not math.isfinite(value + total):
            expect_finite(self._step_again(images, labels))
        return value

    def _loss_of(self, net: nn.Module, images: np.ndarray, labels: np.ndarray) -> Tensor:
        outputs, classes = net(self._tensor(images)), torch.tensor(labels).to(self.device)
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.stack([cross_entropy(y, classes, **self._loss) for y in several]).sum()

    def _kept(self) -> dict[str, Tensor]:
        found = {f"the updated {key}": a for key, a in self.net.state_dict().items()}
        state = self._optimiser_state().items()
        return found | {f"the optimiser's {key}": a for key, a in state if key != "steps"}

    def _step_again(self, images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[str, Tensor]]:
        yield "an image", torch.tensor(images)
        net, outputs = copy.deepcopy(self.net), list[tuple[str, Tensor]]()
        net.load_state_dict(self._before)

        def note(name: str, module: nn.Module, y: Any) -> None:
            ys = y if isinstance(y, tuple) else (y,)
            outputs.extend((f"the output of {name}", a) for a in ys)

        with _listening(net, note):
            loss = self._loss_of(net, images, labels)
        yield from outputs
        yield "the loss", loss
        net.zero_grad()
        loss.backward()
        parameters = reversed(list(net.named_parameters()))
        yield from ((f"the gradient of {k}", p.grad) for k, p in parameters if p.grad is not None)
        yield from self._kept().items()

    @torch.no_grad()
    def logits(self, images: np.ndarray) -> np.ndarray:
        self.net.eval()
        a = self.net(self._tensor(images))
        self.net.train()
        return to_host(a)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self.logits(images).argmax(axis=1)

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        self.net.eval()
        shown = shown_gate(self.net, self._tensor(images))
        self.net.train()
        return shown

    def state_dict(self) -> State:
        net = {f"net.{key}": a for key, a in self.net.state_dict().items()}
        optimiser = {f"optimiser.{key}": a for key, a in self._optimiser_state().items()}
        return {key: np.array(to_host(a)) for key, a in (net | optimiser).items()}

    def _optimiser_state(self) -> dict[str, Tensor]:
        """The keys and the order of armlab.training.optimisers."""
        states = {key: self.optimiser.state.get(p, {}) for key, p in self.net.named_parameters()}
        counts = [state["step"] for state in states.values() if "step" in state]
        found = {"steps": counts[0].to(torch.int64)} if counts else {}
        for name, ours in STATE_NAMES.items():
            found |= {f"{ours}.{k}": s[name] for k, s in states.items() if s.get(name) is not None}
        return found

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        net, optimiser = split_state(state)
        self.net.load_state_dict({key: torch.tensor(a) for key, a in net.items()})
        self.optimiser.state.clear()
        for key, p in self.net.named_parameters():
            kept = self.optimiser.state[p]
            for name, ours in STATE_NAMES.items():
                if f"{ours}.{key}" in optimiser:
                    kept[name] = torch.tensor(optimiser[f"{ours}.{key}"], device=self.device)
            if "steps" in optimiser:
                kept["step"] = torch.tensor(float(optimiser["steps"]))

    def _tensor(self, images: np.ndarray) -> Tensor:
        return torch.tensor(images, dtype=self.dtype, device=self.device)


@contextmanager
def _listening(net: nn.Module, note: Callable[[str, nn.Module, Any], None]) -> Iterator[None]:
    """Within this block, note(name, module, y) hears every output; inner modules come first."""

    def hook(name: str) -> Any:
        return lambda module, inputs, y: note(name, module, y)

    handles = [
        module.register_forward_hook(hook(name or type(net).__name__))
        for name, module in net.named_modules()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _add_output(sums: list[Tensor], module: nn.Module, y: Any) -> None:
    if next(module.children(), None) is None:
        sums.append(y.detach().sum())


def _total(arrays: list[Tensor], dtype: torch.dtype) -> Tensor:
    return torch.cat([a.detach().flatten() for a in arrays if a.dtype == dtype]).sum()


def _twin(net: Network) -> nn.Module:
    if isinstance(net, hand.ToyNet):
        return twins.ToyNet(net.classes, net.attention, net.channels)
    return twins.BiSeNet(net.classes, net.reduction, net.mid_channels, net.width, net.attention)


def _device(device: str) -> torch.device:
    if device != "cpu" and not torch.cuda.is_available():
        raise RuntimeError(
            f"device {device!r} needs an NVIDIA GPU and a PyTorch built for it, and PyTorch finds "
            "none: check that nvidia-smi answers, or use device 'cpu'"
        )
    if device != "cpu" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        raise RuntimeError(
            f"device {device!r} is not there, PyTorch finds {torch.cuda.device_count()}: "
            "use 'cuda:0'"
        )
    return torch.device(device)


def _twin_optimiser(ours: SGD | Adam, net: nn.Module) -> torch.optim.Optimizer:
    """In two groups: biases, and scales and shifts of batch normalisation, do not decay."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": kernels, "weight_decay": ours.weight_decay},
        {"params": others},
    ]
    if isinstance(ours, Adam):
        return torch.optim.Adam(groups, ours.learning_rate, ours.betas, ours.eps)
    return torch.optim.SGD(groups, ours.learning_rate, ours.momentum)
