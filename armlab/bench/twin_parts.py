"""The same parts as in `hand_parts`, of the PyTorch twin, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

import armlab.torch as twins
from armlab import hand
from armlab.arrays import to_host
from armlab.bench.hand_parts import OPTIMISERS, RATE, Parts, upstream
from armlab.bench.ready_call import several
from armlab.training.torch_learner import TorchLearner

OF_HAND = ("rng", "dtype", "device")  # arguments that the twin's class does not take


def of_module(
    module: hand.Module, given: Mapping[str, Any], inputs: Sequence[np.ndarray], backward: bool
) -> Parts:
    """forward, and the gradients of all inputs and parameters, from the weights of `module`."""
    options = {name: value for name, value in given.items() if name not in OF_HAND}
    twin: Any = getattr(twins, type(module).__name__)(**options)
    xs = [torch.tensor(a, requires_grad=True) for a in inputs]
    state = {key: torch.tensor(to_host(a)) for key, a in module.state_dict().items()}
    twin.to(xs[0].dtype).load_state_dict(state)
    leaves = [*xs, *twin.parameters()]
    dys = [torch.tensor(a) for a in upstream(several(twin(*xs)), str(inputs[0].dtype))]

    def parts() -> Iterator[str]:
        ys = several(twin(*xs))
        yield "forward"
        if backward:
            torch.autograd.grad(ys, leaves, dys)
            yield "backward"

    return parts


def of_step(net: Any, optimiser: str, images: np.ndarray, labels: np.ndarray) -> Parts:
    """The update of TorchLearner, line by line, with images and labels in place.

    Its optimiser works on all arrays of a group at once (`foreach`), as it does on a card.
    """
    learner = TorchLearner(net, OPTIMISERS[optimiser]())
    for group in learner.optimiser.param_groups:
        group["foreach"], group["lr"] = True, RATE
    x, targets = torch.tensor(images, dtype=learner.dtype), torch.tensor(labels)

    def parts() -> Iterator[str]:
        y = learner.net(x)
        yield "forward"
        loss = learner.loss(y, targets)
        yield "loss"
        learner.optimiser.zero_grad()
        torch.autograd.backward(loss)
        yield "backward"
        learner.optimiser.step()
        yield "optimiser"

    return parts
