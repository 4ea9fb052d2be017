"""Of the lesson "ARM in one evening"."""

from __future__ import annotations

from typing import Any

from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, over


def steps(dy: Any, x: Any, W: Any, z: Any, s: Any) -> dict[str, Any]:
    ds = over(POSITIONS, dy * x)
    da = (ds * s * (1 - s))[:, :, 0, 0]
    dz = (da @ W)[:, :, None, None]
    return {
        "dy s, the gate's gradient": dy * s,
        "dz / (H W), the pool's gradient": dz / x[0, 0].size + 0 * x,
        "dz for each pixel": dz + 0 * x,
        "ds": ds[:, :, 0, 0],
        "da": da,
        "Σ da s": da.T @ s[:, :, 0, 0],
    }


def backward(
    dy: Any, x: Any, W: Any, z: Any, s: Any, *, ds: Any = None, slope: Any = None, dz: Any = None,
    share: Any = None,
) -> Any:  # fmt: skip
    """The right gradients, but for what a mistake has in the place of a step of theirs."""
    ds = over(POSITIONS, dy * x) if ds is None else ds
    da = (ds * (s * (1 - s) if slope is None else slope))[:, :, 0, 0]
    dz = (da @ W if dz is None else dz(da))[:, :, None, None]
    share = 1 / x[0, 0].size if share is None else share
    return dy * s + share * dz, da.T @ z, da.sum(axis=0)


MISTAKES: Mistakes = {
    "arm_backward_in_numpy": {
        "x is used twice: the gradient through the pool is missing in dx": (
            lambda **given: backward(**given, share=0.0)
        ),
        "each pixel has a share of 1 / HW in the mean, and dx gets all of dz": (
            lambda **given: backward(**given, share=1.0)
        ),
        "da = ds s (1 − s): the slope of the sigmoid is missing": (
            lambda **given: backward(**given, slope=1.0)
        ),
        "dz = da W: z[c] is multiplied by the column c of W, and this took a row": (
            lambda **given: backward(**given, dz=lambda da: da @ given["W"].T)
        ),
        "dW[k, c] = Σ da[k] z[c]: this is its transpose": lambda **given: _transposed(**given),
        "the slope of the sigmoid is s (1 − s): the factor s is missing": (
            lambda **given: backward(**given, slope=1 - given["s"])
        ),
        "the slope of the sigmoid is s (1 − s): the factor 1 − s is missing": (
            lambda **given: backward(**given, slope=given["s"])
        ),
        "this is a mean: one gate feeds all pixels, and their gradients add up in ds": (
            lambda **given: backward(**given, ds=over(POSITIONS, given["dy"] * given["x"])
                                     / given["x"][0, 0].size)
        ),
        "ds sums dy x, and x is not in this: a pixel moves y by as much as it is large": (
            lambda **given: backward(**given, ds=over(POSITIONS, given["dy"]))
        ),
        "ds sums dy x, and dy is not in this: what reaches the gate comes from above": (
            lambda **given: backward(**given, ds=over(POSITIONS, given["x"]))
        ),
        "a mean is taken over the positions of one image: its share is 1 / HW, whatever N is": (
            lambda dy, x, s, **given: _averaged(dy, x, s, **given)
        ),
    },
}  # fmt: skip
STEPS: Steps = {"arm_backward_in_numpy": steps}


def _transposed(**given: Any) -> Any:
    dx, dW, db = backward(**given)
    return dx, dW.T, db


def _averaged(dy: Any, x: Any, s: Any, **given: Any) -> Any:
    dx, dW, db = backward(dy, x, s=s, **given)
    return dy * s + (dx - dy * s) / len(x), dW, db
