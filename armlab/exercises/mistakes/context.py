"""Of chapter 9."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps


def rows(first: int, last: int, layers: Any, of: Any) -> Any:
    """Back through the layers; of(kernel, padding) is what is taken from each end."""
    for kernel, stride, padding in layers[::-1]:
        before, behind = of(kernel, padding)
        first, last = stride * first - before, stride * last + behind
    return first, last


def through(of: Any) -> Any:
    return lambda first, last, layers: rows(first, last, layers, of)


def right(kernel: int, padding: int) -> Any:
    return padding, kernel - 1 - padding


def of_counts(of: Any) -> Any:
    """An answer from the sums of rows and of columns, and the diagonal."""
    return lambda counts: of(counts.sum(axis=1), counts.sum(axis=0), np.diagonal(counts))


def iou(row: Any, column: Any, both: Any) -> Any:
    return both / (row + column - both)


def moments(g: Any, m: Any, s: Any, b1: float, b2: float, **_: Any) -> Any:
    return b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2


def step(of: Any) -> Any:
    """Adam with another step, of (m, s, its arguments) behind the moments."""

    def answer(**given: Any) -> Any:
        m, s = moments(**given)
        return given["w"] - given["rate"] * of(m, s, given), m, s

    return answer


def corrected(m: Any, s: Any, a: Any) -> Any:
    return m / (1 - a["b1"] ** a["t"]), s / (1 - a["b2"] ** a["t"])


def adam(m: Any, s: Any, a: Any) -> Any:
    mean, square = corrected(m, s, a)
    return mean / (np.sqrt(square) + a["eps"])


def corrected_kept(**given: Any) -> Any:
    w, m, s = step(adam)(**given)
    return w, *corrected(m, s, given)


def of_size(**given: Any) -> Any:
    """The second moment of |g| instead of g²."""
    m, s = moments(**given)
    s = s + (1 - given["b2"]) * (np.abs(given["g"]) - given["g"] ** 2)
    return given["w"] - given["rate"] * adam(m, s, given), m, s


def exchanged(b1: float, b2: float, **given: Any) -> Any:
    return step(adam)(b1=b2, b2=b1, **given)


def old_for_new(b1: float, b2: float, **given: Any) -> Any:
    m, s = moments(b1=1 - b1, b2=1 - b2, **given)
    return given["w"] - given["rate"] * adam(m, s, given | {"b1": b1, "b2": b2}), m, s


MISTAKES: Mistakes = {
    "rows_read": {
        "padding moves the image down, so that it is subtracted: this adds it": through(
            lambda kernel, padding: (-padding, kernel - 1 + padding)
        ),
        "a window at one place reads R rows, first to first + R − 1: this is one more": (
            through(lambda kernel, padding: (padding, kernel - padding))
        ),
        "first is where a window begins: this counts from its middle, and adds half of it": through(
            lambda kernel, padding: (padding, kernel // 2 - padding)
        ),
        "the border is on both sides, and only the one above moves the rows: p, not 2 p": through(
            lambda kernel, padding: (2 * padding, kernel - 1 - 2 * padding)
        ),
        "rows above the image count as well: they are padding, and first may be negative": (
            lambda first, last, layers: (
                max(rows(first, last, layers, right)[0], 0),
                rows(first, last, layers, right)[1],
            )
        ),
        "the stride is missing: the next row of the output lies `stride` rows further down": (
            lambda first, last, layers: rows(first, last, [(k, 1, p) for k, _, p in layers], right)
        ),
        "this is how many rows are read: return the first and the last": (
            lambda first, last, layers: (
                rows(first, last, layers, right)[1] - rows(first, last, layers, right)[0] + 1
            )
        ),
    },
    "iou": {
        "pixels that are k and were not called so are missing: this is a share of the called": (
            of_counts(lambda row, column, both: both / column)
        ),
        "the union of a class is its row and its column, not all pixels": (
            lambda counts: np.diagonal(counts) / counts.sum()
        ),
        "this is the share of right pixels, of all classes together: each class has its own": (
            lambda counts: np.diagonal(counts).sum() / counts.sum()
        ),
        "the mean over classes comes later: return one number for each": (
            of_counts(lambda row, column, both: iou(row, column, both).mean())
        ),
        "what is in both belongs to the union, once: this takes it away altogether": (
            of_counts(lambda row, column, both: both / np.maximum(row + column - 2 * both, 1))
        ),
    },
    "adam_step": {
        "both moments are corrected: this corrects m alone": step(
            lambda m, s, a: corrected(m, s, a)[0] / (np.sqrt(s) + a["eps"])
        ),
        "both moments are corrected: this corrects s alone": step(
            lambda m, s, a: m / (np.sqrt(corrected(m, s, a)[1]) + a["eps"])
        ),
        "m and s are kept as they are: the correction is for this step alone": corrected_kept,
        "the step goes against the gradient: subtract it": step(lambda m, s, a: -adam(m, s, a)),
        "divide by the root of s: this divided by s itself": step(
            lambda m, s, a: corrected(m, s, a)[0] / (corrected(m, s, a)[1] + a["eps"])
        ),
        "the step has the mean of the gradients in it: this is g, the last one alone": step(
            lambda m, s, a: a["g"] / (np.sqrt(corrected(m, s, a)[1]) + a["eps"])
        ),
        "the step has the mean of the gradients in it: this is g, and s is not corrected": step(
            lambda m, s, a: a["g"] / (np.sqrt(s) + a["eps"])
        ),
        "this is plain descent, w − rate g: Adam divides m by the root of s": step(
            lambda m, s, a: a["g"]
        ),
        "s holds squares of the gradients: this is their size": of_size,
        "b1 and b2 have changed places": exchanged,
        "b1 and b2 are the shares of what was there, and 1 − b1 and 1 − b2 of what is new": (
            old_for_new
        ),
    },
}
STEPS: Steps = {}
