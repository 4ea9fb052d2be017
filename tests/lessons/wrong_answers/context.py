"""Of chapter 9."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def rows_from_the_first(first: int, last: int, layers: Any) -> tuple[int, int]:
    for kernel, stride, padding in layers:
        first, last = first * stride - padding, last * stride - padding + kernel - 1
    return first, last


def rows_unpadded(first: int, last: int, layers: Any) -> tuple[int, int]:
    for kernel, stride, _ in layers[::-1]:
        first, last = first * stride, last * stride + kernel - 1
    return first, last


def rows_of_first_taps(first: int, last: int, layers: Any) -> tuple[int, int]:
    for _, stride, padding in layers[::-1]:
        first, last = first * stride - padding, last * stride - padding
    return first, last


def adam_of_steps_before(
    t: int, w: Any, g: Any, m: Any, s: Any, rate: float, b1: float, b2: float, eps: float
) -> Any:
    """Right where t counts from 1."""
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
    return w - rate * m / (1 - b1**t) / (np.sqrt(s / (1 - b2**t)) + eps), m, s


def adam(
    w: Any, g: Any, m: Any, s: Any, t: int, rate: float, b1: float, b2: float, eps: float
) -> Any:
    """Without the correction."""
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
    return w - rate * m / (np.sqrt(s) + eps), m, s


def adam_under_the_root(
    w: Any, g: Any, m: Any, s: Any, t: int, rate: float, b1: float, b2: float, eps: float
) -> Any:
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
    return w - rate * m / (1 - b1**t) / np.sqrt(s / (1 - b2**t) + eps), m, s


WRONG: Wrong = {
    "rows_read": [
        (rows_from_the_first, "the last layer is asked first"),
        (rows_unpadded, "padding moves the image down"),
        (rows_of_first_taps, "from its first to its first + R - 1"),
    ],
    "iou": [
        (lambda counts: np.diag(counts) / counts.sum(1), "this is the share found"),
        (lambda counts: np.diag(counts) / (counts + counts.T).sum(0), "the union counts them once"),
        (lambda counts: 2 * np.diag(counts) / (counts + counts.T).sum(0), "the Dice score"),
    ],
    "adam_step": [
        (adam, "their weights do not sum to 1 yet"),
        (adam_under_the_root, "added to the root, not under it"),
        (lambda t, **a: adam_of_steps_before(t + 1, **a), "the first step has t = 1"),
    ],
}
