"""Of chapter 8."""

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.arrays import unbroadcast
from wrong_answers.answer import Wrong


def sources(size: int, out: int) -> Any:
    return np.arange(out) * size // out


def doubled(x: Any, like: Any) -> Any:
    return x.repeat(2, axis=2).repeat(2, axis=3)


def corners_aligned(x: Any, like: Any) -> Any:
    y = x
    for axis in (2, 3):
        size, out = x.shape[axis], like.shape[axis]
        rows = np.rint(np.arange(out) * ((size - 1) / max(out - 1, 1))).astype(int)
        y = np.take(y, rows, axis=axis)
    return y


def resize_back(change: Callable[..., Any]) -> Callable[..., Any]:
    """The backward of nearest with another matrix of ones, (out, size)."""

    def answer(dy: Any, shape: Any) -> Any:
        a, b = (
            change(np.eye(size)[sources(size, out)])
            for size, out in zip(shape[2:], dy.shape[2:], strict=True)
        )
        return a.T @ dy @ b

    return answer


def last_of_each(a: Any) -> Any:
    return a * (np.cumsum(a, axis=0) == a.sum(axis=0))


def fusion_back(
    dy: Any, f: Any, s: Any, logits_back: Any, mix_back: Any, slope: bool = True, pool: bool = True
) -> Any:
    da = unbroadcast(dy * f, s.shape) * (s * (1 - s) if slope else 1)
    return mix_back(dy + dy * s + (logits_back(da) if pool else 0))


def path_back(change: Callable[..., Any]) -> Callable[..., Any]:
    """The backward of the context path, with another dsum32 and dg from change(…)."""

    def answer(
        dy8: Any,
        dy16: Any,
        sum16_back: Any,
        sum32_back: Any,
        arm16_back: Any,
        arm32_back: Any,
        context_back: Any,
    ) -> Any:
        dsum16 = sum16_back(dy8)
        df16 = arm16_back(dsum16)
        return df16, change(dy16, dsum16, sum32_back, arm32_back, context_back)

    return answer


def summed(dsum32: Any) -> Any:
    return dsum32.sum(axis=(2, 3), keepdims=True)


WRONG: Wrong = {
    "upsample_to": [
        (doubled, "take the size of `like`"),
        (corners_aligned, "row i comes from row floor"),
    ],
    "resize_nearest_backward": [
        (resize_back(lambda a: a / np.maximum(a.sum(axis=0), 1)), "not their mean"),
        (resize_back(last_of_each), "only the last of them stays"),
    ],
    "feature_fusion_backward": [
        (
            lambda dy, f, s, logits_back, mix_back: mix_back(
                dy * s + logits_back(unbroadcast(dy * f, s.shape) * s * (1 - s))
            ),
            "dy reaches f on the direct way too",
        ),
        (lambda **given: fusion_back(**given, pool=False), "f is used three times"),
        (lambda **given: fusion_back(**given, slope=False), "multiply by s (1 - s) first"),
        (
            lambda **given: (fusion_back(**given)[0], 0 * fusion_back(**given)[1]),
            "both paths went in",
        ),
    ],
    "context_path_backward": [
        (
            path_back(
                lambda dy16, dsum16, head32, arm32, context: (
                    arm32(head32(dy16)) + context(summed(head32(dy16)))
                )
            ),
            "y16 is an output, and goes into y8",
        ),
        (
            path_back(lambda dy16, dsum16, head32, arm32, context: arm32(head32(dy16 + dsum16))),
            "f32 feeds ARM32 and the global context",
        ),
        (
            path_back(
                lambda dy16, dsum16, head32, arm32, context: (
                    arm32(head32(dy16 + dsum16)) + context(head32(dy16 + dsum16)[:, :, :1, :1])
                )
            ),
            "one g was added at every position",
        ),
    ],
}
