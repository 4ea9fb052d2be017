"""Of chapter 7."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def max_first(x: Any, conv_reduce: Any, conv_atten: Any, bn_atten: Any) -> Any:
    r = conv_reduce(x)
    m = np.concatenate([r.max(axis=1, keepdims=True), r.mean(axis=1, keepdims=True)], axis=1)
    return x / (1 + np.exp(-bn_atten(conv_atten(m))))


def sar_backward(change: Callable[..., Any]) -> Callable[..., Any]:
    """SAR's backward, with another dr from (dmean, dmax, won, C), or another dx from (dx, dx_r)."""

    def answer(dy: Any, above: Any, r: Any, below: Any) -> Any:
        dx, dm = above(dy)
        won = np.arange(r.shape[1]).reshape(1, -1, 1, 1) == r.argmax(axis=1, keepdims=True)
        return dx + below(change(dm[:, :1], dm[:, 1:], won, r.shape[1]))

    return answer


WRONG: Wrong = {
    "listed_sar": [(max_first, "the mean comes first, then the max")],
    "listed_sar_backward": [
        (lambda dy, above, r, below: above(dy)[0], "by the gate and by its statistics"),
        (sar_backward(lambda dmean, dmax, won, c: dmean / c + 0 * won), "the max is missing"),
        (sar_backward(lambda dmean, dmax, won, c: dmax / c + dmean * won), "dm has the order of m"),
        (sar_backward(lambda dmean, dmax, won, c: dmean + dmax * won), "a share of 1 / C"),
        (
            sar_backward(lambda dmean, dmax, won, c: dmean / c + dmax + 0 * won),
            "that channel alone",
        ),
    ],
    "residual_attentionout_backward": [
        (lambda dy, published_back: published_back(dy)[0], "on the direct way too"),
    ],
}
