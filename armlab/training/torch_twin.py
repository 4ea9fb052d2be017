"""From a network and an optimiser by hand to their twins in PyTorch, and their state back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import armlab.torch as twins
from armlab.arrays import Array, to_host
from armlab.training.networks import Network, design_of
from armlab.training.optimisers import SGD, Adam

# torch.optim's names for the state of a parameter, and those of armlab.training.optimisers
STATE_NAMES = {"momentum_buffer": "velocity", "exp_avg": "mean", "exp_avg_sq": "square"}


def twin_of(net: Network, device: torch.device) -> nn.Module:
    """The twin with the weights of `net`, on a device."""
    arguments = design_of(net).twin_arguments(net)
    return twin_with(type(net).__name__, arguments, net.state_dict()).to(device)


def twin_with(name: str, arguments: Mapping[str, Any], state: Mapping[str, Array]) -> nn.Module:
    """The class of `armlab.torch` of this name, built with these arguments, with these weights."""
    tensors = {key: torch.tensor(to_host(a)) for key, a in state.items()}
    twin: nn.Module = getattr(twins, name)(**arguments)
    twin.to(next(iter(tensors.values())).dtype).load_state_dict(tensors)
    return twin


def expect_device(device: str) -> torch.device:
    """Raises RuntimeError where PyTorch finds no such device."""
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


def twin_optimiser(ours: SGD | Adam, net: nn.Module) -> torch.optim.Optimizer:
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


def optimiser_state(optimiser: torch.optim.Optimizer, net: nn.Module) -> dict[str, Tensor]:
    """With the keys and in the order of armlab.training.optimisers."""
    states = {key: optimiser.state.get(p, {}) for key, p in net.named_parameters()}
    counts = [state["step"] for state in states.values() if "step" in state]
    found = {"steps": counts[0].to(torch.int64)} if counts else {}
    for name, ours in STATE_NAMES.items():
        found |= {f"{ours}.{k}": s[name] for k, s in states.items() if s.get(name) is not None}
    return found


def load_optimiser_state(
    optimiser: torch.optim.Optimizer, net: nn.Module, state: Mapping[str, np.ndarray]
) -> None:
    """The way back; it replaces what the optimiser had."""
    optimiser.state.clear()
    for key, p in net.named_parameters():
        kept = optimiser.state[p]
        for name, ours in STATE_NAMES.items():
            if f"{ours}.{key}" in state:
                kept[name] = torch.tensor(state[f"{ours}.{key}"], device=p.device)
        if "steps" in state:
            kept["step"] = torch.tensor(float(state["steps"]))
