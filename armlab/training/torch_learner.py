"""The PyTorch twin behind the same interface: autograd and torch.optim, from the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from armlab.arrays import to_host
from armlab.hand import ToyNet
from armlab.torch import ToyNet as TorchToyNet
from armlab.torch import cross_entropy
from armlab.training.learner import State, split_state
from armlab.training.optimisers import SGD, Adam

# torch.optim's names for the state of a parameter, and those of armlab.training.optimisers
STATE_NAMES = {"momentum_buffer": "velocity", "exp_avg": "mean", "exp_avg_sq": "square"}


class TorchLearner:
    """See `Learner`. Starts from the weights of a network drawn by hand.

    Raises RuntimeError where PyTorch finds no such device.
    """

    def __init__(self, net: ToyNet, optimiser: SGD | Adam, device: str = "cpu") -> None:
        self.device = _device(device)
        state = {key: torch.tensor(to_host(a)) for key, a in net.state_dict().items()}
        self.dtype = state["classify.weight"].dtype
        twin = TorchToyNet(len(state["classify.bias"]), net.attention, net.head.conv.in_channels)
        twin = twin.to(self.dtype)
        twin.load_state_dict(state)
        self.net = twin.to(self.device)
        self.optimiser = _twin_optimiser(optimiser, self.net)
        self.parameter_count = sum(p.numel() for p in self.net.parameters())
        self._before: dict[str, Tensor] = {}

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        self._before = {key: a.clone() for key, a in self.net.state_dict().items()}
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        loss = cross_entropy(self.net(self._tensor(images)), torch.tensor(labels).to(self.device))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

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
        s = self.net.gate(self._tensor(images))
        self.net.train()
        return None if s is None else to_host(s)[:, :, 0, 0]

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

    @torch.no_grad()
    def first_not_finite(self, images: np.ndarray) -> str:
        found: list[str] = []
        self.net.load_state_dict(self._before)
        hooks = [
            module.register_forward_hook(_watch(name or type(self.net).__name__, found))
            for name, module in self.net.named_modules()
        ]
        self.net(self._tensor(images))
        for hook in hooks:
            hook.remove()
        return found[0] if found else ""

    def _tensor(self, images: np.ndarray) -> Tensor:
        return torch.tensor(images, dtype=self.dtype, device=self.device)


def _watch(name: str, found: list[str]) -> Any:
    def look(module: Any, inputs: Any, y: Tensor) -> None:
        if not bool(torch.isfinite(y).all()):
            found.append(name)

    return look


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


def _twin_optimiser(ours: SGD | Adam, net: torch.nn.Module) -> torch.optim.Optimizer:
    decay = ours.weight_decay
    if isinstance(ours, Adam):
        return torch.optim.Adam(
            net.parameters(), ours.learning_rate, ours.betas, ours.eps, weight_decay=decay
        )
    return torch.optim.SGD(net.parameters(), ours.learning_rate, ours.momentum, weight_decay=decay)
