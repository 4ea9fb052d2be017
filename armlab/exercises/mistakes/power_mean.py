"""Of chapter 3: the mean of powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import BATCH, POSITIONS, Mistakes, Steps, over
from armlab.exercises.mistakes.pooling import first


def backward(
    dz: Any,
    x: Any,
    p: int,
    *,
    t: Any = None,
    slope: Any = None,
    share: Any = None,
    power: Any = None,
) -> Any:
    """The right gradient, but for what a mistake has in the place of one of its steps."""
    t = np.mean(x**p, axis=POSITIONS, keepdims=True) if t is None else t
    dt = dz * (t ** (1 / p - 1) / p if slope is None else slope(t))
    dq = dt * (1 / x[0, 0].size if share is None else share)
    return dq * (p * x ** (p - 1) if power is None else power)


def steps(dz: Any, x: Any, p: int) -> dict[str, Any]:
    t = np.mean(x**p, axis=POSITIONS, keepdims=True)
    dt = t ** (1 / p - 1) / p * dz
    return {
        "dz / (H W), the mean's gradient": dz / x[0, 0].size + 0 * x,
        "dq": dt / x[0, 0].size + 0 * x,
        "dt": dt,
        "dz at the first of the largest, the maximum's gradient": first(dz, x),
    }


MISTAKES: Mistakes = {
    "power_mean_backward": {
        "this is dz / (H W), the gradient of the mean: it is right for p = 1 alone": (
            lambda dz, x, p: dz / x[0, 0].size + 0 * x
        ),
        "t is a mean, and each pixel has a share of 1 / HW in it: here each gets all of dt": (
            lambda **given: backward(**given, share=1)
        ),
        "t is the mean of x^p: this took their sum": (
            lambda dz, x, p: backward(dz, x, p, t=over(POSITIONS, x**p))
        ),
        "each image has its own t: nothing is averaged over N": (
            lambda dz, x, p: backward(dz, x, p, t=np.mean(x**p, axis=BATCH, keepdims=True))
        ),
        "each channel has its own t: nothing is averaged over C": (
            lambda dz, x, p: backward(dz, x, p, t=np.mean(x**p, axis=(1, 2, 3), keepdims=True))
        ),
        "the slope of t^(1/p) has the factor 1 / p": (
            lambda dz, x, p: backward(dz, x, p, slope=lambda t: t ** (1 / p - 1))
        ),
        "dt has the slope of t^(1/p), which is t^(1/p − 1) / p, and not t^(1/p) itself": (
            lambda dz, x, p: backward(dz, x, p, slope=lambda t: t ** (1 / p))
        ),
        "the slope of t^(1/p) is t^(1/p − 1) / p: its power is lower by 1": (
            lambda dz, x, p: backward(dz, x, p, slope=lambda t: t ** (1 / p) / p)
        ),
        "the power of t in its slope is 1/p − 1, not 1 − 1/p": (
            lambda dz, x, p: backward(dz, x, p, slope=lambda t: t ** (1 - 1 / p) / p)
        ),
        "z = t^(1/p) stands between t and dz: its slope is missing": (
            lambda **given: backward(**given, slope=lambda t: 1)
        ),
        "the slope of x^p has the factor p": (
            lambda dz, x, p: backward(dz, x, p, power=x ** (p - 1))
        ),
        "dx has the slope of x^p, which is p x^(p − 1), and not x^p itself": (
            lambda dz, x, p: backward(dz, x, p, power=x**p)
        ),
        "the slope of x^p is p x^(p − 1): its power is lower by 1": (
            lambda dz, x, p: backward(dz, x, p, power=p * x**p)
        ),
        "q = x^p stands between x and t: its slope is missing": (
            lambda **given: backward(**given, power=1 + 0 * given["x"])
        ),
        "a share is x / z to the power p − 1, and this has the power p": (
            lambda dz, x, p: backward(dz, x, p, slope=lambda t: 1 / t, power=x**p)
        ),
        "a mean is taken over the positions of one image: its share is 1 / HW, whatever N is": (
            lambda **given: backward(**given, share=1 / given["x"][:, 0].size)
        ),
    },
}
STEPS: Steps = {"power_mean_backward": steps}
