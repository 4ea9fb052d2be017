"""Of chapter 0."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def ahead_alone(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    y, backward = f(x)
    return np.sum((f(x + h * v)[0] - y) * dy) / h, np.sum(v * backward(dy))


def over_h(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    moved = (f(x + h * v)[0] - f(x - h * v)[0]) / h
    return np.sum(moved * dy), np.sum(v * f(x)[1](dy))


def the_right_one_twice(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    side = np.sum(v * f(x)[1](dy))
    return side, side


WRONG: Wrong = {
    "relu_backward": [
        (lambda dy, x: np.where(dy > 0, dy, 0.0), "the sign of x, not that of dy"),
        (lambda dy, x: dy * (x >= 0), "at x = 0 the convention"),
    ],
    "bias_backward": [
        (lambda dy: dy.sum(axis=(2, 3)).mean(axis=0), "their sum, not their mean"),
    ],
    "global_avg_pool_backward": [
        (lambda dz, shape: np.broadcast_to(dz, shape), "share of 1 / HW"),
    ],
    "adjoint_sides": [
        (ahead_alone, "a step ahead and none behind"),
        (over_h, "it is 2 h"),
        (the_right_one_twice, "the left one measures with f alone"),
    ],
}
