"""A call on one side with its arrays drawn and its weights made, ready to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ReadyCall:
    """Nothing but the operation is inside `forward` and what it returns: that is what is timed.

    forward   gives y (or the loss), and the call that computes all gradients from a fixed dy
    named     y and the gradients as host arrays, by the names that both sides share
    bytes     of inputs and output together; 0 where that says nothing, as of a training step
    """

    forward: Callable[[], tuple[Any, Callable[[], Any]]]
    named: Callable[[Any, Any], dict[str, np.ndarray]]
    bytes: int = 0

    def run(self) -> dict[str, np.ndarray]:
        """Once, for its results."""
        y, backward = self.forward()
        return self.named(y, backward())


def several(y: Any) -> tuple[Any, ...]:
    """The outputs of a function or a module, one or more."""
    return y if isinstance(y, tuple) else (y,)
