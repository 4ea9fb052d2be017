"""Of chapter 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps, over


def sides(
    f: Any, x: Any, v: Any, dy: Any, h: Any, *, ahead: Any = None, behind: Any = None,
    over: Any = None, at: Any = None,
) -> Any:  # fmt: skip
    """Both sides, but for where f is asked, what its difference is divided by, and where the
    backward is made."""
    ahead, behind = x + h * v if ahead is None else ahead, x - h * v if behind is None else behind
    moved = (f(ahead)[0] - f(behind)[0]) / (2 * h if over is None else over)
    return np.sum(moved * dy), np.sum(v * f(x if at is None else at)[1](dy))


def moved_by(f: Any, x: Any, v: Any, h: Any) -> Any:
    return (f(x + h * v)[0] - f(x - h * v)[0]) / (2 * h)


MISTAKES: Mistakes = {
    "adjoint_sides": {
        "from x − h v to x + h v it is 2 h: divide by that, not by h": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, over=h)
        ),
        "what moved has to be divided by how far x moved, which is 2 h": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, over=1)
        ),
        "this is a step ahead and none behind: take f(x + h v) − f(x − h v), over 2 h": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, behind=x, over=h)
        ),
        "f(x) is no step behind: take f(x + h v) − f(x − h v), over 2 h": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, behind=x)
        ),
        "x moves along v, h times as far: this moves it by all of v": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, ahead=x + v, behind=x - v)
        ),
        "x moves along v: this moves every number of x by h, and v is not in it": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, ahead=x + h, behind=x - h)
        ),
        "⟨a, b⟩ is the sum of the products, not their mean": (
            lambda f, x, v, dy, h: (np.mean(moved_by(f, x, v, h) * dy), np.mean(v * f(x)[1](dy)))
        ),
        "left is ⟨J v, dy⟩: this sums J v, and dy is not in it": (
            lambda f, x, v, dy, h: (np.sum(moved_by(f, x, v, h)), np.sum(v * f(x)[1](dy)))
        ),
        "right is ⟨v, backward(dy)⟩: this sums backward(dy), and v is not in it": (
            lambda f, x, v, dy, h: (np.sum(moved_by(f, x, v, h) * dy), np.sum(f(x)[1](dy)))
        ),
        "right is ⟨v, backward(dy)⟩: this has x in the place of v": (
            lambda f, x, v, dy, h: (np.sum(moved_by(f, x, v, h) * dy), np.sum(x * f(x)[1](dy)))
        ),
        "this is the left side twice: the right one asks the backward": (
            lambda f, x, v, dy, h: (np.sum(moved_by(f, x, v, h) * dy),) * 2
        ),
        "this is the right side twice: the left one measures with f alone": (
            lambda f, x, v, dy, h: (np.sum(v * f(x)[1](dy)),) * 2
        ),
        "the backward is asked at x, and this one belongs to x + h v": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, at=x + h * v)
        ),
        "the backward is asked at x, and this one belongs to x − h v": (
            lambda f, x, v, dy, h: sides(f, x, v, dy, h, at=x - h * v)
        ),
    },
    "relu_backward": {
        "the slope of ReLU is 1 or 0, and x itself is not in it": lambda dy, x: dy * x,
        "this passes dy on where x is negative: ReLU is the identity where x > 0": (
            lambda dy, x: dy * (x < 0)
        ),
        "for negative x the slope is 0, not -1: the sign of x is not its slope": (
            lambda dy, x: dy * np.sign(x)
        ),
        "the gradient comes from above: this is the forward, and dy is not in it": (
            lambda dy, x: np.maximum(x, 0)
        ),
    },
    "bias_backward": {
        "this is the first image alone: one b[k] feeds all images, so sum over N as well": (
            lambda dy: dy[0].sum(axis=(1, 2))
        ),
        "this is a mean over positions: b[k] is added at each of them, so their gradients add up": (
            lambda dy: dy.mean(axis=(2, 3)).sum(axis=0)
        ),
        "b[k] belongs to a channel: sum over N, H and W, and leave the channels apart": (
            lambda dy: dy.sum(axis=(1, 2, 3))
        ),
        "one column of the image is not all of it: sum over H and over W": (
            lambda dy: dy.sum(axis=(0, 2))[:, 0]
        ),
        "one row of the image is not all of it: sum over H and over W": (
            lambda dy: dy.sum(axis=(0, 3))[:, 0]
        ),
    },
    "global_avg_pool_backward": {
        "every pixel was in the mean, not the first alone: each gets dz / (H W)": (
            lambda dz, shape: np.pad(dz, [(0, 0), (0, 0)] + [(0, n - 1) for n in shape[2:]])
        ),
    },
}
STEPS: Steps = {
    "relu_backward": lambda dy, x: {"the mask x > 0": (x > 0) * 1.0},
    "global_avg_pool_backward": lambda dz, shape: {"the mean of dz over N": over(0, dz)},
}
