"""Optimisers by hand: from gradients to new weights, on any array library.

    optimiser.step(module, grads)

reads module.parameters() and replaces them with module.assign, never writing into an array.
Constants are Python scalars, so that float32 stays float32. A kernel does the same for all arrays
at once, bit for bit: `armlab/hand/kernels/arrays_in_one.py`, and on CuPy `arrays_at_once.py`.

Weight decay spares arrays of one axis: biases, and the scales and shifts of batch normalisation.
In PyTorch this takes two groups of parameters, the second with weight_decay=0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Grads
from armlab.hand.kernels.packed import Packed
from armlab.hand.module import Module

Arrays: TypeAlias = Mapping[str, Array]


class SGD:
    """Stochastic gradient descent with momentum, as torch.optim.SGD without dampening.

    For a weight w with gradient g = dL/dw, velocity v = 0 at the start:

        g' = g + weight_decay w, of kernels alone                       (1)  L2 penalty
        v  = momentum v + g'                                            (2)
        w  = w - learning_rate v                                        (3)

    (2) unrolled is Σ_i momentum^i g'(t - i): a direction that stays the same is followed up to
    1 / (1 - momentum) times as fast, one that alternates cancels.
    """

    def __init__(
        self, learning_rate: float, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        self.learning_rate = learning_rate
        self.momentum, self.weight_decay = momentum, weight_decay
        self._velocity: Arrays = {}

    def step(self, module: Module, grads: Grads, learning_rate: float | None = None) -> None:
        """One update of every parameter; `learning_rate` overrides that of the constructor."""
        rate = float(self.learning_rate if learning_rate is None else learning_rate)
        weights = _expect_same_keys(module.parameters(), grads)
        rule = {"rate": -rate, "momentum": self.momentum, "decay": self.weight_decay}
        made = _at_once("sgd", rule, weights, grads, self._velocity)
        new, self._velocity = made or self._one_by_one(weights, grads, rate)
        module.assign(new)

    def _one_by_one(self, weights: Arrays, grads: Arrays, rate: float) -> tuple[Arrays, Arrays]:
        """The new weights and the new velocities."""
        velocity, new = dict(self._velocity), {}
        for key, w in weights.items():
            v = g = _with_decay(grads[key], self.weight_decay, w)  # (1)
            if key in velocity:
                v = self.momentum * velocity[key]
                v += g  # (2)
            velocity[key] = v
            new[key] = -rate * v
            new[key] += w  # (3)
        return new, velocity

    def arrays(self) -> Iterable[Array]:
        """What the next step goes on from, in as few arrays as hold it."""
        return _arrays_of(self._velocity)

    def state_dict(self) -> dict[str, Any]:
        """The velocities, flat: "velocity.<parameter>"."""
        return {f"velocity.{key}": v for key, v in self._velocity.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over arrays that lie where the parameters do."""
        self._velocity = _with_prefix(state, "velocity.")


class Adam:
    """Adam (Kingma and Ba 2015), as torch.optim.Adam.

    For a weight w with gradient g = dL/dw, moments m = s = 0 at the start, in step t = 1, 2, …:

        g' = g + weight_decay w, of kernels alone                       (1)  L2 penalty
        m  = β₁ m + (1 - β₁) g'                                         (2)  mean of g'
        s  = β₂ s + (1 - β₂) g'²                                        (3)  mean of g'²
        w  = w - learning_rate (m / c₁) / (sqrt(s / c₂) + eps)          (4)
        c₁ = 1 - β₁^t,   c₂ = 1 - β₂^t                                  (5)

    (2) unrolled is m = (1 - β₁) Σ_i β₁^i g'(t - i), whose weights sum to c₁ and not to 1, as m
    started at 0: (4) divides by it, so that the first steps are as long as the later ones. A
    step is about learning_rate long in each weight, whatever the scale of its gradient.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.learning_rate, self.betas, self.eps = learning_rate, betas, eps
        self.weight_decay = weight_decay
        self._steps = 0
        self._mean: Arrays = {}
        self._square: Arrays = {}

    def step(self, module: Module, grads: Grads, learning_rate: float | None = None) -> None:
        """One update of every parameter; `learning_rate` overrides that of the constructor."""
        rate = float(self.learning_rate if learning_rate is None else learning_rate)
        weights = _expect_same_keys(module.parameters(), grads)
        self._steps += 1
        made = _at_once("adam", self._rule(rate), weights, grads, self._mean, self._square)
        new, self._mean, self._square = made or self._one_by_one(weights, grads, rate)
        module.assign(new)

    def _rule(self, rate: float) -> dict[str, float]:
        """The constants of (1) to (5) as they meet arrays."""
        (b1, b2), t = self.betas, self._steps
        moments = {"b1": b1, "rest1": 1 - b1, "b2": b2, "rest2": 1 - b2}
        root = (1 - b2**t) ** 0.5
        ends = {"root": root, "eps": self.eps, "decay": self.weight_decay}
        return {"rate": -rate / (1 - b1**t)} | moments | ends

    def _one_by_one(self, weights: Arrays, grads: Arrays, rate: float) -> tuple[Arrays, ...]:
        """The new weights, and both moments."""
        mean, square, new = dict(self._mean), dict(self._square), {}
        for key, w in weights.items():
            if key not in mean:
                mean[key] = square[key] = array_namespace(w).zeros_like(w)
            g = _with_decay(grads[key], self.weight_decay, w)  # (1)
            new[key], mean[key], square[key] = self._step_along(g, mean[key], square[key], rate)
            new[key] += w
        return new, mean, square

    def _step_along(self, g: Array, m: Array, s: Array, rate: float) -> tuple[Array, Array, Array]:
        """Equations (2) to (5): what is added to the weight, and its new moments."""
        xp = array_namespace(g)
        b1, b2 = self.betas
        c1, c2 = 1 - b1**self._steps, 1 - b2**self._steps  # (5) Python floats
        m = b1 * m
        m += (1 - b1) * g  # (2)
        old, s = s, (1 - b2) * g
        s *= g
        s += b2 * old  # (3)
        step = xp.sqrt(s)
        step /= c2**0.5
        step += self.eps
        step = m / step
        step *= -rate / c1  # (4)
        return step, m, s

    def arrays(self) -> Iterable[Array]:
        """What the next step goes on from, in as few arrays as hold it."""
        return [*_arrays_of(self._mean), *_arrays_of(self._square)]

    def state_dict(self) -> dict[str, Any]:
        """The step count "steps", and the moments "mean.<parameter>" and "square.<parameter>"."""
        mean = {f"mean.{key}": m for key, m in self._mean.items()}
        return {"steps": self._steps} | mean | {f"square.{k}": s for k, s in self._square.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the step count, and arrays that lie where the parameters do."""
        self._steps = int(state["steps"])
        self._mean, self._square = _with_prefix(state, "mean."), _with_prefix(state, "square.")


def _at_once(
    kernel: str, rule: dict[str, float], weights: Arrays, grads: Arrays, *states: Arrays
) -> tuple[Any, ...] | None:
    """New weights and states from one kernel, None where no kernel is for these arrays."""
    for like in [*weights.values()][:1]:
        if step := kernels.choose("step", like, weights, grads, *states):
            made: tuple[Any, ...] = step(like, weights, grads, *states, kernel=kernel, **rule)
            return made
    return None


def _arrays_of(state: Arrays) -> Iterable[Array]:
    return [state.buffer] if isinstance(state, Packed) else state.values()


def _expect_same_keys(parameters: dict[str, Array], grads: Grads) -> dict[str, Array]:
    if parameters.keys() != grads.keys():
        odd = sorted(parameters.keys() ^ grads.keys())
        raise KeyError(
            f"expected one gradient for each parameter, but {', '.join(odd)} is in one of the two "
            "only: pass the grads that this module's backward returned"
        )
    return parameters


def _with_decay(g: Array, weight_decay: float, w: Array) -> Array:
    """g + weight_decay w, where w is a kernel: it has two axes or more. May return g itself."""
    if not weight_decay or w.ndim < 2:
        return g
    decayed = weight_decay * w
    decayed += g
    return decayed


def _with_prefix(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): a for key, a in state.items() if key.startswith(prefix)}
